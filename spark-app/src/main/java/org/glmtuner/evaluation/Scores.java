package org.glmtuner.evaluation;

/**
 * The four numbers of the official script, in percent: F-measures of ROUGE-1, ROUGE-2 and ROUGE-L
 * over words, and BLEU-4 over characters.
 */
public record Scores(double rouge1, double rouge2, double rougeL, double bleu4) {}
