package org.glmtuner.inspection;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.OfficialWeights;
import org.glmtuner.model.PublishedFile;
import org.glmtuner.model.Release;
import org.glmtuner.model.ReleaseDigests;
import org.glmtuner.model.TiedHead;
import org.glmtuner.storage.Digests;
import org.glmtuner.storage.Folder;
import org.glmtuner.storage.SourcePath;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/** A directory with a base model, or one of its files. */
final class ModelInspection {
  private final Inspector inspector;

  ModelInspection(Inspector inspector) {
    this.inspector = inspector;
  }

  Inspection of(SourcePath path) throws IOException {
    Inspection inspection = new Inspection(Holding.MODEL, path.location());
    Folder folder = path.folder();
    Optional<ChatGlmConfig> config = config(inspection, folder, path.file().isPresent());
    List<String> files = path.file().map(List::of).orElseGet(() -> List.of());
    if (path.file().isEmpty()) {
      tokenizer(inspection, folder, config);
      files = weights(inspection, folder);
    }
    TreeMap<String, Long> values = new TreeMap<>();
    long bytes = 0;
    for (String name : files) {
      try (TensorFile file = TensorFile.open(folder, name)) {
        bytes += folder.size(name);
        for (TensorSpec tensor : file.tensors()) {
          values.merge(tensor.dtype().name(), tensor.elements(), Long::sum);
        }
        inspection.tensors(file);
        if (inspector.isThorough()) {
          inspector.read(inspection, file);
        }
      } catch (TunerException e) {
        inspection.problem(e);
      }
    }
    inspection.fact("files", (long) files.size());
    inspection.fact("file_bytes", bytes);
    inspection.fact("values", values);
    if (inspector.isThorough()) {
      published(inspection, folder, files);
    }
    return inspection;
  }

  private static Optional<ChatGlmConfig> config(
      Inspection inspection, Folder folder, boolean oneFile) throws IOException {
    if (oneFile && !folder.contains(ChatGlmConfig.FILE)) {
      return Optional.empty();
    }
    try {
      ChatGlmConfig config = ChatGlmConfig.read(folder);
      inspection.fact("num_layers", config.numLayers());
      inspection.fact("hidden_size", config.hiddenSize());
      inspection.fact("num_attention_heads", config.numAttentionHeads());
      inspection.fact("inner_hidden_size", config.innerHiddenSize());
      inspection.fact("vocab_size", config.vocabSize());
      inspection.fact("max_sequence_length", config.maxSequenceLength());
      inspection.fact(
          "vocabulary_of",
          Release.ofVocabulary(config.vocabSize()).map(Release::title).orElse("no known release"));
      inspection.fact("parameters", config.parameters());
      return Optional.of(config);
    } catch (TunerException e) {
      inspection.problem(e);
      return Optional.empty();
    }
  }

  private static void tokenizer(
      Inspection inspection, Folder folder, Optional<ChatGlmConfig> config) throws IOException {
    if (!folder.contains(ChatGlmTokenizer.FILE)) {
      inspection.fact("tokenizer", "none: enough for rows of tokens, not for texts");
      return;
    }
    byte[] model = folder.readAll(ChatGlmTokenizer.FILE, ChatGlmTokenizer.MAX_BYTES);
    String sha256 = Digests.hex(model);
    inspection.fact("tokenizer_sha256", sha256);
    inspection.fact(
        "tokenizer",
        PublishedFile.ofContent(sha256)
            .map(file -> "that of " + file.release())
            .orElse("of no known release"));
    if (config.isPresent()) {
      try {
        ChatGlmTokenizer.check(model, folder.locate(ChatGlmTokenizer.FILE), config.get());
      } catch (TunerException e) {
        inspection.problem(e);
      }
    }
  }

  /** The names of all files with weights, found by the rules of training, as far as these go. */
  private List<String> weights(Inspection inspection, Folder folder) throws IOException {
    try (OfficialWeights weights = OfficialWeights.open(folder)) {
      inspection.fact("fingerprint", weights.fingerprint());
      if (inspector.isThorough()) {
        TiedHead.difference(weights, inspector.progress()).ifPresent(inspection::problem);
      }
      return weights.files().stream().map(TensorFile::name).toList();
    } catch (TunerException e) {
      inspection.problem(e);
    }
    TreeSet<String> names = new TreeSet<>();
    for (String name : folder.names()) {
      if (name.matches("(pytorch_model|model)(-\\d+-of-\\d+)?\\.(bin|safetensors)")) {
        names.add(name);
      }
    }
    return List.copyOf(names);
  }

  private void published(Inspection inspection, Folder folder, List<String> files)
      throws IOException {
    ReleaseDigests digests = ReleaseDigests.of(folder, files, inspector.progress());
    inspection.fact(
        "weights",
        digests
            .release()
            .map(release -> "those of " + release + ", by SHA-256")
            .orElse("of no known release"));
    Map<String, PublishedFile> recognised = digests.recognised();
    digests
        .mixture()
        .filter(sentence -> !recognised.isEmpty())
        .ifPresent(
            sentence ->
                inspection.problem(
                    "Cannot use the weights in " + folder.location() + ": " + sentence));
  }
}
