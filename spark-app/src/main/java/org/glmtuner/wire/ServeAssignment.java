package org.glmtuner.wire;

/**
 * What a rank is to answer with.
 *
 * @param prefixFile local prefix.safetensors or official pytorch_model.bin; empty for the base
 *     alone
 */
public record ServeAssignment(BaseModel base, String prefixFile) {}
