/** Rows of text or tokens, and the samples that are made of them. */
package org.glmtuner.data;
