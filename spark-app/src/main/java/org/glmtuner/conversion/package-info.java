/** Models and prefixes from one form of files into another. */
package org.glmtuner.conversion;
