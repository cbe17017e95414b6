package org.glmtuner.nativeddp;

/**
 * The special tokens that give a prompt its shape.
 *
 * @param start sop: the response begins after its first occurrence
 * @param gmask [gMASK], whose place in the prompt is the response's rotary position
 * @param mask [MASK], which serves if the prompt has no [gMASK]
 */
public record DecodingTokens(int start, int gmask, int mask) {}
