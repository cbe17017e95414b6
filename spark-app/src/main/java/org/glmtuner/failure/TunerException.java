package org.glmtuner.failure;

import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An end that the user can act on. The message is a whole sentence in one of two shapes, {@code
 * Cannot <action>: <reason>} or {@code Invalid <thing>: <value> (<rule>)}, and is shown without a
 * stack trace.
 */
public final class TunerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Up to the stack trace's first line. */
  private static final Pattern TEXT =
      Pattern.compile("TunerException\\[([A-Z_]+)\\]: (.*?)(?=\\n\\tat |\\z)", Pattern.DOTALL);

  private final ExitCode exitCode;

  public TunerException(ExitCode exitCode, String message) {
    this(exitCode, message, null);
  }

  public TunerException(ExitCode exitCode, String message, Throwable cause) {
    super(Objects.requireNonNull(message, "message"), cause);
    this.exitCode = Objects.requireNonNull(exitCode, "exitCode");
  }

  /** Bad arguments or configuration: exit code 2. */
  public static TunerException invalid(String message) {
    return new TunerException(ExitCode.INVALID, message);
  }

  /** Data, weights or a checkpoint that is damaged or missing: exit code 6. */
  public static TunerException damaged(String message) {
    return new TunerException(ExitCode.DAMAGED, message);
  }

  /** As {@link #damaged(String)}, keeping what was thrown below. */
  public static TunerException damaged(String message, Throwable cause) {
    return new TunerException(ExitCode.DAMAGED, message, cause);
  }

  public ExitCode exitCode() {
    return exitCode;
  }

  /** Spark passes on no more of a task's exception than this text; the exit code is in it. */
  @Override
  @SuppressWarnings("OverrideThrowableToString") // messages are shown to people without the code
  public String toString() {
    return "TunerException[" + exitCode + "]: " + getMessage();
  }

  /**
   * The exception whose {@link #toString} is somewhere in {@code text}, as in a failed Spark job's
   * message.
   */
  public static Optional<TunerException> find(String text) {
    Matcher matcher = TEXT.matcher(text);
    return matcher.find()
        ? Optional.of(new TunerException(ExitCode.valueOf(matcher.group(1)), matcher.group(2)))
        : Optional.empty();
  }
}
