package org.glmtuner.driver;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.glmtuner.checkpoint.PrefixFiles;
import org.glmtuner.checkpoint.PrefixSource;
import org.glmtuner.config.Precision;
import org.glmtuner.config.PrefixConfig;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.SampleRules;
import org.glmtuner.executor.MicroBatchMemory;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.OfficialWeights;
import org.glmtuner.model.RankMemory;
import org.glmtuner.model.WeightFile;
import org.glmtuner.storage.Digests;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/**
 * The base as the driver knows it: its configuration, its fingerprint, and whether its weights are
 * all there. The weights themselves are read by tasks.
 *
 * @param tokenizerModel bytes of ice_text.model; empty where the directory has none, which is
 *     enough for rows of tokens
 */
record BaseFiles(String location, ChatGlmConfig config, String fingerprint, byte[] tokenizerModel) {

  /**
   * Opens the directory {@code model.path}.
   *
   * @throws TunerException (exit code 6) where it is missing, incomplete, or mixed from two
   *     releases
   */
  static BaseFiles open(TunerConfig config, HadoopSettings settings) throws IOException {
    Directory directory = Directory.of(config.model().path(), settings);
    if (!directory.exists()) {
      throw TunerException.damaged(
          "Cannot read the model: " + directory.location() + " does not exist (model.path)");
    }
    byte[] tokenizer =
        directory.contains(ChatGlmTokenizer.FILE)
            ? directory.readAll(ChatGlmTokenizer.FILE, ChatGlmTokenizer.MAX_BYTES)
            : new byte[0];
    try (OfficialWeights weights = OfficialWeights.open(directory)) {
      if (tokenizer.length > 0) {
        ChatGlmTokenizer.check(
            tokenizer, directory.locate(ChatGlmTokenizer.FILE), weights.config());
      }
      return new BaseFiles(
          directory.location(), weights.config(), weights.fingerprint(), tokenizer);
    }
  }

  /** Refuses a prefix that is not for this base, or not the one to train. */
  void checkPrefix(PrefixSource source, PrefixConfig wanted) throws IOException {
    PrefixFiles.check(
        source.directory(), source.file(), config, ChatGlmConfig.Prefix.of(wanted), fingerprint);
  }

  /** The shape of a prefix; refuses one that is not for this base. */
  ChatGlmConfig.Prefix checkPrefix(PrefixSource source) throws IOException {
    return PrefixFiles.examine(source.directory(), source.file(), config, fingerprint);
  }

  /**
   * What micro-batches of ranks that work with it may be.
   *
   * @param cores of a rank
   */
  MicroBatchMemory microBatches(
      TunerConfig tuner, ChatGlmConfig.Prefix prefix, int cores, MicroBatchMemory.Samples samples) {
    Precision precision = tuner.model().precision();
    return new MicroBatchMemory(
        RankMemory.of(config, prefix, precision, cores),
        WeightFile.bytes(config, precision),
        tuner.training().microBatchTokens(),
        samples);
  }

  SampleRules rules() {
    return SampleRules.of(config);
  }

  /** What a run must find unchanged when it resumes. */
  Map<String, String> fingerprints(String samples) {
    Map<String, String> fingerprints = new TreeMap<>();
    fingerprints.put("base", fingerprint);
    if (tokenizerModel.length > 0) {
      fingerprints.put("tokenizer", Digests.hex(tokenizerModel));
    }
    fingerprints.put("samples", samples);
    return fingerprints;
  }
}
