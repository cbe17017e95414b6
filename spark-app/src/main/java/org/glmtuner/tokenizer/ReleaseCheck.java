package org.glmtuner.tokenizer;

import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.Release;
import org.glmtuner.model.SpecialIds;

/** What must agree between a tokenizer and a model's configuration. */
record ReleaseCheck(String location, int pieces, SpecialIds ids) {

  void against(ChatGlmConfig config) {
    SpecialIds expected = config.specialIds();
    check(config, "[MASK]", ids.mask(), expected.mask());
    check(config, "[gMASK]", ids.gmask(), expected.gmask());
    check(config, "<sop>", ids.sop(), expected.sop());
    check(config, "<eop>", ids.eop(), expected.eop());
    check(config, "<pad>", ids.pad(), expected.pad());
    if (pieces > config.vocabSize()) {
      throw mismatch(
          config, "it has " + pieces + " pieces, the model a vocabulary of " + config.vocabSize());
    }
  }

  private void check(ChatGlmConfig config, String piece, int found, int expected) {
    if (found != expected) {
      throw mismatch(config, "it has " + piece + " at " + found + ", the model at " + expected);
    }
  }

  private TunerException mismatch(ChatGlmConfig config, String reason) {
    String remedy =
        Release.remedy(
            new Release.Part(ChatGlmTokenizer.FILE, Release.ofMask(ids.mask())),
            new Release.Part(ChatGlmConfig.FILE, Release.ofVocabulary(config.vocabSize())));
    return TunerException.damaged(
        "Cannot use the tokenizer " + location + ": " + reason + " (" + remedy + ")");
  }
}
