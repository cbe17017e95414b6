/** What is in a directory or file of ours or of the official code, and what is wrong with it. */
package org.glmtuner.inspection;
