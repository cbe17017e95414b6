/**
 * The programs that made {@code src/sample}, which quickstart trains on: rows, and a tiny base.
 * {@code src/sample/make} runs them.
 */
package org.glmtuner.sample;
