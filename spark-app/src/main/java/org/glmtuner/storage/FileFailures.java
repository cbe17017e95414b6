package org.glmtuner.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.ParentNotDirectoryException;
import org.apache.hadoop.fs.PathIOException;
import org.apache.hadoop.security.AccessControlException;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/** Makes a sentence of what a file system says. */
public final class FileFailures {
  private FileFailures() {}

  /**
   * What to tell a user whose path cannot be used: exit code 2 where only another path or other
   * permissions help, 4 where the file system may answer the next time.
   *
   * @param action completes the sentence "Cannot …"
   */
  public static TunerException explain(String action, IOException failure) {
    boolean path =
        failure instanceof FileNotFoundException
            || failure instanceof FileSystemException
            || failure instanceof FileAlreadyExistsException
            || failure instanceof ParentNotDirectoryException
            || failure instanceof PathIOException
            || failure instanceof AccessControlException;
    String message = String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
    // java.nio says the path only; the reason is in the type
    String reason =
        failure instanceof FileSystemException nio && nio.getReason() == null
            ? message + " (" + failure.getClass().getSimpleName() + ")"
            : message;
    return new TunerException(
        path ? ExitCode.INVALID : ExitCode.TRAINING_FAILED,
        "Cannot " + action + ": " + reason,
        failure);
  }

  /** What {@code java.nio} says of a file, without its path: the type has what the text lacks. */
  public static String reason(IOException failure) {
    if (!(failure instanceof FileSystemException nio)) {
      return String.valueOf(failure.getMessage());
    } else if (nio.getReason() != null) {
      return nio.getReason();
    } else if (nio instanceof AccessDeniedException) {
      return "permission denied";
    } else if (nio instanceof NoSuchFileException) {
      return "there is no such directory";
    }
    return nio.getClass().getSimpleName();
  }
}
