package org.glmtuner.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.apache.hadoop.fs.ChecksumException;
import org.glmtuner.failure.TunerException;

/**
 * Copies single files between the local disk and a {@link Directory}, computing SHA-256 on the way.
 */
public final class FileTransfer {
  private FileTransfer() {}

  /**
   * Copies a local file into {@code target} under its own name.
   *
   * @return SHA-256 of the bytes that were written, in hexadecimal
   */
  public static String upload(Path file, Directory target) throws IOException {
    MessageDigest digest = Digests.sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest);
        OutputStream out = target.write(file.getFileName().toString())) {
      in.transferTo(out);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /**
   * Copies a file of {@code source} to the local file {@code target}, replacing it.
   *
   * @return SHA-256 of the bytes that were read, in hexadecimal
   * @throws TunerException (exit code 6) where the file system finds it damaged
   */
  public static String download(Folder source, String name, Path target) throws IOException {
    MessageDigest digest = Digests.sha256();
    try (InputStream in =
            new DigestInputStream(Channels.newInputStream(source.open(name)), digest);
        OutputStream out = Files.newOutputStream(target)) {
      in.transferTo(out);
    } catch (ChecksumException e) {
      throw TunerException.damaged("Cannot read " + source.locate(name) + ": " + e.getMessage(), e);
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
