package org.glmtuner.checkpoint;

import java.io.IOException;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.HadoopSettings;

/** Where a user says that a prefix is: a file in a directory. */
public record PrefixSource(Directory directory, String file) {

  /**
   * Looks at what {@code path} names: a checkpoint directory, ours or an official one, or a file of
   * tensors, which ends in {@code .safetensors} or {@code .bin}.
   *
   * @throws TunerException (exit code 6) where a directory has no file that may hold a prefix
   */
  public static PrefixSource of(String path, HadoopSettings settings) throws IOException {
    int name = path.lastIndexOf('/') + 1;
    if (path.endsWith(".safetensors") || path.endsWith(".bin")) {
      String parent = name > 1 ? path.substring(0, name - 1) : name == 1 ? "/" : ".";
      return new PrefixSource(Directory.of(parent, settings), path.substring(name));
    }
    Directory directory = Directory.of(path, settings);
    return new PrefixSource(directory, PrefixFiles.find(directory));
  }
}
