package org.glmtuner.executor;

import java.io.Serializable;

/**
 * The new ids of a completed prompt, without the closing eop.
 *
 * @param baseIds of the base without the prefix; null where that was not asked for
 */
public record Completion(long id, int[] newIds, int[] baseIds) implements Serializable {}
