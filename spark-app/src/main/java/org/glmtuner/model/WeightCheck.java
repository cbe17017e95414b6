package org.glmtuner.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.failure.TunerException;

/** Whether weights are those of their configuration: every tensor, each of its shape, no other. */
final class WeightCheck {
  private final OfficialWeights weights;
  private final ChatGlmConfig config;
  private final Map<String, TensorFile> tensors;

  /** Checks nothing yet; {@code tensors} are all of {@code weights} with their files. */
  WeightCheck(OfficialWeights weights, Map<String, TensorFile> tensors) {
    this.weights = weights;
    this.config = weights.config();
    this.tensors = tensors;
  }

  /**
   * Checks all of it.
   *
   * @throws TunerException (exit code 6) naming the first tensor that is wrong, and its file
   */
  void run() {
    List<String> known = new ArrayList<>();
    checkVocabulary();
    for (ModelTensor tensor : ModelTensor.of(config)) {
      checkShape(tensor.name(), tensor.shape());
      known.add(tensor.name());
    }
    if (tensors.containsKey(ModelTensor.HEAD)) {
      checkShape(ModelTensor.HEAD, tensorShape(ModelTensor.EMBEDDING));
      known.add(ModelTensor.HEAD);
    }
    Map<String, TensorFile> others = new TreeMap<>(tensors);
    others.keySet().removeAll(known);
    others.forEach(this::checkIgnored);
  }

  /** Files of two releases differ in the vocabulary: that says more than a wrong shape. */
  private void checkVocabulary() {
    long rows = tensorShape(ModelTensor.EMBEDDING).stream().findFirst().orElse(0L);
    Release.Part embedding = part(ModelTensor.EMBEDDING, rows);
    if (rows != config.vocabSize()) {
      throw mixed(
          ChatGlmConfig.FILE + " has the vocab_size " + config.vocabSize(),
          ModelTensor.EMBEDDING,
          rows,
          Release.remedy(
              new Release.Part(ChatGlmConfig.FILE, Release.ofVocabulary(config.vocabSize())),
              embedding));
    }
    if (tensors.containsKey(ModelTensor.HEAD)) {
      long headRows = tensorShape(ModelTensor.HEAD).stream().findFirst().orElse(0L);
      if (headRows != rows) {
        throw mixed(
            ModelTensor.EMBEDDING + " of " + embedding.file() + " has " + rows + " rows",
            ModelTensor.HEAD,
            headRows,
            Release.remedy(embedding, part(ModelTensor.HEAD, headRows)));
      }
    }
  }

  private Release.Part part(String tensor, long rows) {
    return new Release.Part(weights.file(tensor).name(), Release.ofVocabulary(rows));
  }

  private TunerException mixed(String found, String tensor, long rows, String remedy) {
    return TunerException.damaged(
        "Cannot use the weights in "
            + weights.location()
            + ": "
            + found
            + ", "
            + tensor
            + " of "
            + weights.file(tensor).name()
            + " "
            + rows
            + " rows ("
            + remedy
            + ")");
  }

  private List<Long> tensorShape(String name) {
    return weights.file(name).get(name).shape();
  }

  private void checkShape(String name, List<Long> expected) {
    TensorSpec found = weights.file(name).get(name);
    if (!found.shape().equals(expected) || !found.dtype().isFloat()) {
      throw TunerException.damaged(
          "Cannot read tensor "
              + name
              + " of "
              + weights.file(name).location()
              + ": it is "
              + found.dtype()
              + " "
              + found.shape()
              + " (F16, BF16 or F32 "
              + expected
              + " by config.json)");
    }
  }

  private void checkIgnored(String name, TensorFile file) {
    boolean rotary = name.startsWith(ModelTensor.LAYERS) && name.endsWith(ModelTensor.ROTARY);
    if (!rotary && !name.startsWith(ModelTensor.PREFIX_ENCODER)) {
      throw TunerException.damaged(
          "Cannot use the weights in "
              + weights.location()
              + ": tensor "
              + name
              + " of "
              + file.location()
              + " has no place in a ChatGLM-6B of "
              + config.numLayers()
              + " layers");
    }
  }
}
