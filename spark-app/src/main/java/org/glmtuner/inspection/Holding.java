package org.glmtuner.inspection;

import java.io.IOException;
import java.util.Locale;
import java.util.stream.Stream;
import org.glmtuner.checkpoint.PrefixFiles;
import org.glmtuner.checkpoint.PrefixShape;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorFormat;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.WeightFile;
import org.glmtuner.storage.Folder;
import org.glmtuner.storage.SourcePath;

/** The kinds of things that a path can hold. */
public enum Holding {
  MODEL("Model"),
  PREFIX("Prefix"),
  WEIGHT_FILE("Weight file"),
  RUN("Run"),
  TENSORS("Tensors");

  static final String RUN_IDENTITY = "run.json";

  private final String title;

  Holding(String title) {
    this.title = title;
  }

  String title() {
    return title;
  }

  /** In lower case with a hyphen. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Finds out by the names of files and tensors.
   *
   * @throws TunerException (exit code 6) where it is none of them, or too damaged to tell
   */
  public static Holding of(SourcePath path) throws IOException {
    Folder folder = path.folder();
    if (path.file().isPresent()) {
      return ofFile(folder, path.file().get());
    }
    if (folder.contains(RUN_IDENTITY)) {
      return RUN;
    }
    if (folder.contains(PrefixFiles.PREFIX)) {
      return PREFIX;
    }
    for (TensorFormat format : TensorFormat.values()) {
      if (folder.contains(format.indexName())) {
        return MODEL;
      }
    }
    return ofFile(folder, weights(folder));
  }

  /**
   * The one file with tensors that the path names, or that its directory has.
   *
   * @throws TunerException (exit code 6) where there is none
   */
  public static String weights(SourcePath path) throws IOException {
    return path.file().isPresent() ? path.file().get() : weights(path.folder());
  }

  private static String weights(Folder folder) throws IOException {
    for (String name :
        new String[] {
          PrefixFiles.PREFIX, TensorFormat.SAFETENSORS.fileName(), TensorFormat.TORCH.fileName()
        }) {
      if (folder.contains(name)) {
        return name;
      }
    }
    throw TunerException.damaged(
        "Cannot tell what "
            + folder.location()
            + " holds: there is no "
            + RUN_IDENTITY
            + " of a run, no weights ("
            + TensorFormat.TORCH.fileName()
            + ", "
            + TensorFormat.SAFETENSORS.fileName()
            + ", or an index of either) and no "
            + PrefixFiles.PREFIX);
  }

  private static Holding ofFile(Folder folder, String name) throws IOException {
    try (TensorFile file = TensorFile.open(folder, name)) {
      if (WeightFile.isOne(file)) {
        return WEIGHT_FILE;
      }
      boolean layers =
          file.tensors().stream()
              .anyMatch(
                  tensor ->
                      Stream.of("transformer.layers.", "transformer.word_embeddings.", "lm_head.")
                          .anyMatch(tensor.name()::startsWith));
      if (layers) {
        return MODEL;
      }
      return PrefixShape.tensors(file).isEmpty() ? TENSORS : PREFIX;
    }
  }
}
