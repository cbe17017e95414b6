package org.glmtuner.nativeddp;

/**
 * The special tokens that decoding needs.
 *
 * @param start sop: the response begins after its first occurrence
 * @param end eop: the response ends before it
 * @param gmask [gMASK], whose place in the prompt is the response's rotary position
 * @param mask [MASK], which serves if the prompt has no [gMASK]
 */
public record DecodingTokens(int start, int end, int gmask, int mask) {}
