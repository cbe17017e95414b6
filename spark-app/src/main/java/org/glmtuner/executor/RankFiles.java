package org.glmtuner.executor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.glmtuner.checkpoint.Manifest;
import org.glmtuner.checkpoint.PrefixFiles;
import org.glmtuner.checkpoint.PrefixSource;
import org.glmtuner.checkpoint.TrainerState;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.OfficialWeights;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.model.WeightCache;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.DiskSpace;
import org.glmtuner.storage.FileTransfer;
import org.glmtuner.storage.HadoopSettings;
import org.glmtuner.wire.BaseModel;

/** Brings to this host what a rank reads: ranks have no file system but the local one. */
final class RankFiles {
  private final TunerConfig config;
  private final HadoopSettings settings;
  private final RankHost host;
  private final ProgressListener listener;

  RankFiles(TunerConfig config, HadoopSettings settings, RankHost host, ProgressListener listener) {
    this.config = config;
    this.settings = settings;
    this.host = host;
    this.listener = listener;
  }

  /**
   * Before a rank starts, and after the libraries were unpacked into the same directory: whether
   * this host's cache directory has room for the weight file, or has the file.
   *
   * @param cache the directory
   * @param bytes of the weight file
   * @throws TunerException (exit code 3) with the numbers where it has not
   */
  static void requireRoom(TunerConfig config, HadoopSettings settings, Path cache, long bytes)
      throws IOException {
    if (DiskSpace.free(cache) / 2 >= bytes) {
      return; // header and checksums fit too, so the model's files need not be opened to tell
    }
    try (OfficialWeights weights =
        OfficialWeights.open(Directory.of(config.model().path(), settings))) {
      WeightCache.requireRoom(weights, config.model().precision(), cache);
    }
  }

  /** The weight file of the base, converted if this host has none yet. */
  BaseModel baseModel(int threads, RankPlacement placement)
      throws IOException, InterruptedException {
    try (OfficialWeights weights =
        OfficialWeights.open(Directory.of(config.model().path(), settings))) {
      Path file = WeightCache.provide(weights, config.model().precision(), host.cache(), listener);
      String json = new String(weights.config().toJson(), StandardCharsets.UTF_8);
      return new BaseModel(
          file.toString(), weights.fingerprint(), json, threads, config.engine().isa(), placement);
    }
  }

  /**
   * A local copy of a prefix.
   *
   * @param path of a checkpoint directory, ours or an official one, or of a file in one; empty for
   *     none, which gives an empty path
   */
  String prefix(String path) throws IOException {
    if (path.isEmpty()) {
      return "";
    }
    PrefixSource source = PrefixSource.of(path, settings);
    return download(
        source.directory(),
        source.file(),
        Files.createDirectory(host.directory().files().resolve("prefix")));
  }

  /** A local copy of what a run needs of its own checkpoint to go on. */
  String checkpoint(String name) throws IOException {
    Directory source = Directory.of(config.run().directory(), settings).child(name);
    Path target = Files.createDirectory(host.directory().files().resolve("resume"));
    for (String file : List.of(PrefixFiles.PREFIX, PrefixFiles.OPTIMIZER, TrainerState.FILE)) {
      try {
        download(source, file, target);
      } catch (TunerException e) {
        throw TunerException.damaged(
            e.getMessage() + " (without that directory the run resumes from the one before)", e);
      }
    }
    return target.toString();
  }

  private static String download(Directory source, String name, Path directory) throws IOException {
    Path target = directory.resolve(name);
    String sha256 = FileTransfer.download(source, name, target);
    Optional<Manifest> manifest = Manifest.read(source);
    manifest.ifPresent(m -> m.check(source.location(), name, sha256));
    return target.toString();
  }
}
