package org.glmtuner.diagnosis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/** Collects what checks find in one place. */
public final class Findings {
  private static final Map<String, Double> NONE = Map.of();

  private final String where;
  private final Runnable cancellation;

  /** Synchronised: a check that was given up may still find something. */
  private final List<Finding> list = Collections.synchronizedList(new ArrayList<>());

  /** Of checks that nobody cancels. */
  public Findings(String where) {
    this(where, () -> {});
  }

  /**
   * Of checks that may be cancelled.
   *
   * @param cancellation throws an unchecked exception where all checks are to end; so do then the
   *     methods that run checks, from any thread
   */
  public Findings(String where, Runnable cancellation) {
    this.where = where;
    this.cancellation = cancellation;
  }

  /** A check that may take its time, or fail in a way of its own. */
  public interface Check {
    void run() throws Exception;
  }

  public void ok(String check, String found) {
    ok(check, found, NONE);
  }

  public void ok(String check, String found, Map<String, Double> values) {
    add(check, Verdict.OK, found, "", values);
  }

  public void skipped(String check, String reason) {
    add(check, Verdict.SKIPPED, reason, "", NONE);
  }

  public void warning(String check, String found, String advice) {
    warning(check, found, advice, NONE);
  }

  public void warning(String check, String found, String advice, Map<String, Double> values) {
    add(check, Verdict.WARNING, found, advice, values);
  }

  public void problem(String check, String found, String advice) {
    problem(check, found, advice, NONE);
  }

  public void problem(String check, String found, String advice, Map<String, Double> values) {
    add(check, Verdict.PROBLEM, found, advice, values);
  }

  /**
   * Runs a check on a thread of its own for at most so long; whatever it throws is a finding too,
   * so that the other checks go on.
   *
   * @param advice for where it fails or hangs
   */
  public void attempt(String check, Duration limit, String advice, Check body)
      throws InterruptedException {
    try {
      TimeLimit.call(
          limit,
          check,
          cancellation,
          () -> {
            body.run();
            return null;
          });
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      failed(check, e, advice);
    }
  }

  /** As {@link #attempt}, for a value that is used by more than one check. */
  public <T> T value(String check, Duration limit, String advice, T instead, Callable<T> body)
      throws InterruptedException {
    try {
      return TimeLimit.call(limit, check, cancellation, body);
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      failed(check, e, advice);
      return instead;
    }
  }

  /** A check that could not be made: a problem, unless only another run is in the way now. */
  public void failed(String check, Exception failure, String advice) {
    failed(check, failure, advice, "try again when no other run is on this host");
  }

  /**
   * As the other.
   *
   * @param patience advice for where there are no free slots or cores now
   */
  public void failed(String check, Exception failure, String advice, String patience) {
    cancellation.run(); // then that is why
    String message = failure instanceof TunerException ? failure.getMessage() : failure.toString();
    String reason = message.lines().findFirst().orElse("");
    if (failure instanceof TunerException known && known.exitCode() == ExitCode.NO_FREE_SLOTS) {
      warning(check, reason, patience);
    } else {
      problem(check, reason, advice);
    }
  }

  private void add(
      String check, Verdict verdict, String found, String advice, Map<String, Double> values) {
    list.add(new Finding(check, where, verdict, found, advice, values));
  }

  /** So far, in the order in which they came. */
  public List<Finding> list() {
    synchronized (list) {
      return List.copyOf(list);
    }
  }
}
