/** ChatGLM-6B: its configuration, its official weights, and the weight file that ranks map. */
package org.glmtuner.model;
