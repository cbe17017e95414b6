package org.glmtuner.conversion;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.glmtuner.checkpoint.TensorFormat;
import org.glmtuner.config.Precision;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ModelCopy;
import org.glmtuner.model.OfficialWeights;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.model.WeightCache;
import org.glmtuner.model.WeightFile;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.Folder;
import org.glmtuner.storage.NewDirectory;
import org.glmtuner.storage.PrivateDirectory;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/**
 * Converts a base model. Its files are first held against each other: shards of which only some are
 * a published release's are refused, and so is a tokenizer of another vocabulary.
 */
public final class ModelConversion implements AutoCloseable {
  private static final String HOLDS = "model";

  private final OfficialWeights weights;
  private final ProgressListener listener;
  private final String release;

  /**
   * Opens the directory.
   *
   * @throws TunerException (exit code 6) where it is damaged, incomplete or mixed
   */
  public ModelConversion(Folder folder, ProgressListener listener) throws IOException {
    this.listener = listener;
    this.weights = OfficialWeights.open(folder);
    try {
      if (folder.contains(ChatGlmTokenizer.FILE)) {
        ChatGlmTokenizer.check(
            folder.readAll(ChatGlmTokenizer.FILE, ChatGlmTokenizer.MAX_BYTES),
            folder.locate(ChatGlmTokenizer.FILE),
            weights.config());
      }
      release = weights.release(listener::read).orElse("");
    } catch (IOException | RuntimeException | Error e) {
      try {
        weights.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  /**
   * Makes the weight file at {@code output}, a local path where nothing is yet.
   *
   * @throws TunerException (exit code 2) where there is something, or the path is not local
   */
  public Conversion toWeightFile(String output, Precision precision) throws IOException {
    Path target =
        Directory.ofArgument(output)
            .local()
            .orElseThrow(
                () ->
                    TunerException.invalid(
                        "Invalid --output: "
                            + output
                            + " (ranks map a weight file: it must be on a local disk)"));
    if (Files.exists(target)) {
      throw TunerException.invalid(
          "Invalid --output: " + output + " (it exists, and nothing is overwritten)");
    }
    Files.createDirectories(target.getParent());
    WeightFile.convert(weights, precision, target, listener);
    return result(target.toString(), Files.size(target));
  }

  /** Makes this host's weight file in the cache, if it is not there yet. */
  public Conversion toCache(Path cache, Precision precision)
      throws IOException, InterruptedException {
    Path target =
        WeightCache.provide(weights, precision, PrivateDirectory.provide(cache), listener);
    return result(target.toString(), Files.size(target));
  }

  /** Writes the same values in files of another format into the new directory {@code output}. */
  public Conversion toFormat(TensorFormat format, String output, long shardBytes)
      throws IOException {
    try (NewDirectory target = NewDirectory.at(output)) {
      long bytes = ModelCopy.write(weights, format, shardBytes, target, listener);
      target.publish();
      return result(output, bytes);
    }
  }

  private Conversion result(String output, long bytes) throws IOException {
    return new Conversion(HOLDS, output, weights.bytes(), bytes, release);
  }

  @Override
  public void close() throws IOException {
    weights.close();
  }
}
