/** Files of named tensors: safetensors and the zip archives of {@code torch.save}. */
package org.glmtuner.checkpoint;
