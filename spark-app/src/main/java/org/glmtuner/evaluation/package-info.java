/** How close generated texts are to their references: the official script's ROUGE and BLEU-4. */
package org.glmtuner.evaluation;
