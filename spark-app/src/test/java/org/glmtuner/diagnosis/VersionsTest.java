package org.glmtuner.diagnosis;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class VersionsTest {
  private static final String PROGRAMS = "Java 17 (17.0.9), Spark 3.5.9, Scala 2.12.18";
  private static final String HOST = PROGRAMS + ", Linux 6.1.0, glibc 2.36";

  private final Findings findings = new Findings("driver");

  private String warning() {
    assertThat(findings.list()).hasSize(1);
    assertThat(findings.list().get(0).verdict()).isEqualTo(Verdict.WARNING);
    return findings.list().get(0).found();
  }

  @Test
  void thisProcessSaysItsProgramsFirst() throws IOException {
    assertThat(Versions.describe()).startsWith(Versions.programs() + ", Linux ");
  }

  @Test
  void aDriverOnAnotherSystemWithTheSameProgramsIsOrdinary() {
    Versions.compare(findings, PROGRAMS, List.of(HOST, HOST));
    assertThat(findings.list()).isEmpty();
  }

  @Test
  void aDriverWithAnotherJavaIsSaid() {
    Versions.compare(findings, PROGRAMS.replace("17", "21"), List.of(HOST, HOST));
    assertThat(warning())
        .isEqualTo(
            "the hosts have "
                + HOST
                + "; the driver has Java 21 (21.0.9), Spark 3.5.9, Scala 2.12.18");
  }

  @Test
  void aDriverWhoseVersionOnlyBeginsLikeTheHostsIsSaid() {
    Versions.compare(findings, "Java 17 (17.0.9), Spark 3.5", List.of(HOST));
    assertThat(warning()).endsWith("; the driver has Java 17 (17.0.9), Spark 3.5");
  }

  @Test
  void hostsWithDifferentSystemsAreSaid() {
    String other = HOST.replace("2.36", "2.31");
    Versions.compare(findings, PROGRAMS, List.of(HOST, other));
    assertThat(warning()).isEqualTo("hosts differ: " + other + "; " + HOST);
  }
}
