package org.glmtuner.diagnosis;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;

/**
 * All findings, for people and for machines.
 *
 * @param unchecked why most could not be checked at this time; empty where that is not so
 */
public record Diagnosis(List<Finding> findings, Optional<TunerException> unchecked) {
  private static final int LEAST_FOUND = 20;
  private static final String GAP = "  ";

  /** Columns of the table before the last. */
  private static final List<Function<Finding, String>> COLUMNS =
      List.of(Finding::check, Finding::where, finding -> finding.verdict().label());

  public Diagnosis {
    findings = List.copyOf(findings);
  }

  public Diagnosis(List<Finding> findings) {
    this(findings, Optional.empty());
  }

  /**
   * An aligned table, with a line of its own for what to do about a finding.
   *
   * @param width of the lines; long findings are wrapped at spaces
   */
  public List<String> table(int width) {
    List<Integer> widths =
        COLUMNS.stream()
            .map(
                column -> findings.stream().mapToInt(f -> column.apply(f).length()).max().orElse(0))
            .toList();
    int indent = widths.stream().mapToInt(own -> own + GAP.length()).sum();
    int room = Math.max(LEAST_FOUND, width - indent);
    List<String> lines = new ArrayList<>();
    for (Finding finding : findings) {
      StringBuilder head = new StringBuilder();
      for (int column = 0; column < COLUMNS.size(); column++) {
        String text = COLUMNS.get(column).apply(finding);
        head.append(text).append(" ".repeat(widths.get(column) - text.length())).append(GAP);
      }
      List<String> cells = new ArrayList<>(wrap(finding.found(), room));
      if (!finding.advice().isEmpty()) {
        cells.addAll(wrap("-> " + finding.advice(), room));
      }
      for (int i = 0; i < cells.size(); i++) {
        lines.add((i == 0 ? head.toString() : " ".repeat(indent)) + cells.get(i));
      }
    }
    return lines;
  }

  /** At spaces; a word that is longer than a line has one of its own. */
  private static List<String> wrap(String text, int width) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.strip().split("\\s+", -1)) {
      if (line.length() > 0 && line.length() + 1 + word.length() > width) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.length() > 0 ? " " : "").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  /** A line of JSON for each finding. */
  public List<String> json() {
    return findings.stream().map(finding -> finding.toJson().toString()).toList();
  }

  /** The command's last line. */
  public JsonObject summary() {
    Optional<Finding> first =
        findings.stream().filter(f -> f.verdict() == Verdict.PROBLEM).findFirst();
    JsonObject line = new JsonObject();
    line.addProperty("status", exitCode() == ExitCode.DONE ? "finished" : "failed");
    line.addProperty("checks", findings.size());
    for (Verdict verdict : List.of(Verdict.SKIPPED, Verdict.WARNING, Verdict.PROBLEM)) {
      line.addProperty(verdict.label() + (verdict == Verdict.SKIPPED ? "" : "s"), count(verdict));
    }
    Optional<String> error =
        first
            .map(problem -> problem.check() + " on " + problem.where() + ": " + problem.found())
            .or(() -> unchecked.map(TunerException::getMessage));
    if (error.isPresent()) {
      line.addProperty("exit_code", exitCode().number());
      line.addProperty("error", error.get());
    }
    return line;
  }

  private long count(Verdict verdict) {
    return findings.stream().filter(finding -> finding.verdict() == verdict).count();
  }

  /** 3 where something would stop a run, 8 where there were no free slots to find that out. */
  public ExitCode exitCode() {
    return count(Verdict.PROBLEM) > 0
        ? ExitCode.UNSUITABLE
        : unchecked.map(TunerException::exitCode).orElse(ExitCode.DONE);
  }
}
