/** Completing prompts: batches of sequences, and how each one's next token is chosen. */
package org.glmtuner.generation;
