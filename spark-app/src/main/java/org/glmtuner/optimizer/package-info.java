/**
 * HF AdamW, the linear schedule and clipping by the global norm, as the official recipe has them.
 */
package org.glmtuner.optimizer;
