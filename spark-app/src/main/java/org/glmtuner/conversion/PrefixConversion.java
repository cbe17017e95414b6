package org.glmtuner.conversion;

import java.io.IOException;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.glmtuner.checkpoint.PrefixCopy;
import org.glmtuner.checkpoint.PrefixCopy.Form;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorPass;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.storage.Folder;
import org.glmtuner.storage.NewDirectory;

/** Converts a trained prefix between the official form, ours and safetensors. */
public final class PrefixConversion {
  private PrefixConversion() {}

  /**
   * Writes the prefix of a file into the new directory {@code output}.
   *
   * @param forms what the directory gets
   * @param base whose {@code config.json} is used where the file has none beside it
   */
  public static Conversion convert(
      Folder folder,
      String name,
      Set<Form> forms,
      Optional<Folder> base,
      String output,
      ProgressListener listener)
      throws IOException {
    Optional<ChatGlmConfig> config = Optional.empty();
    if (folder.contains(ChatGlmConfig.FILE)) {
      config = Optional.of(ChatGlmConfig.readCheckpoint(folder));
    } else if (base.isPresent()) {
      config = Optional.of(ChatGlmConfig.read(base.get()));
    }
    Set<Form> wanted = EnumSet.copyOf(forms);
    try (TensorFile file = TensorFile.open(folder, name);
        NewDirectory target = NewDirectory.at(output)) {
      PrefixCopy copy = new PrefixCopy(file);
      long total = copy.bytes() * wanted.size();
      long[] done = {0};
      TensorPass pass =
          new TensorPass(
              bytes -> {
                done[0] += bytes;
                listener.written(done[0], total);
              });
      copy.write(target, wanted, config, pass);
      target.publish();
      return new Conversion("prefix", output, folder.size(name), total, "");
    }
  }
}
