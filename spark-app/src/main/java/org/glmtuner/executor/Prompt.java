package org.glmtuner.executor;

import java.io.Serializable;

/** A prompt's ids, which end in gMASK and sop. */
public record Prompt(long id, int[] ids) implements Serializable {}
