package org.glmtuner.placement;

import java.io.Serializable;

/**
 * What ranks need, in bytes.
 *
 * @param weights of the weight file, once for each copy
 * @param rank what each rank has for itself
 */
public record MemoryNeed(long weights, long rank) implements Serializable {}
