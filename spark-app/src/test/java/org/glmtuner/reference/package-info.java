/** ChatGLM-6B in DJL operations and FP32: slow, readable, the oracle of tests. */
package org.glmtuner.reference;
