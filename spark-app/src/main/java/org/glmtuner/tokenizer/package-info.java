/** Text to token ids and back, as ChatGLM-6B's tokenizer does it. */
package org.glmtuner.tokenizer;
