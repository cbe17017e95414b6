package org.glmtuner.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.data.Sample;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenRowsTest {
  private static final ModelShape MODEL = new ModelShape(2, 64, 4, 256, 64, 8);

  @TempDir Path directory;

  private TokenRows rows(int count) throws Exception {
    return TokenRows.read(BenchmarkRows.write(directory.resolve("rows"), count), MODEL);
  }

  private static List<List<Long>> ids(List<List<Sample>> dealt) {
    return dealt.stream().map(own -> own.stream().map(Sample::id).toList()).toList();
  }

  @Test
  void eachRankHasTheRowsBehindThoseOfTheRankBefore() throws Exception {
    assertThat(ids(rows(5).dealt(2, 2))).containsExactly(List.of(0L, 1L), List.of(2L, 3L));
  }

  @Test
  void rowsBeginAgainWhereTheyRunOut() throws Exception {
    assertThat(ids(rows(3).dealt(2, 2))).containsExactly(List.of(0L, 1L), List.of(2L, 0L));
  }

  @Test
  void paddingIsNoToken() throws Exception {
    List<Sample> samples = rows(3).samples();
    assertThat(samples).extracting(Sample::length).containsExactly(7, 9, 11);
    assertThat(samples.get(1).inputIds()[8]).isEqualTo(64 - 3); // eop ends it
    assertThat(BenchmarkRows.tokens(3)).isEqualTo(7 + 9 + 11);
  }

  @Test
  void rowsAreTakenUntilTheTokensAreReached() throws Exception {
    TokenRows rows = rows(6); // 7, 9, 11, 13, 15, 17 tokens
    assertThat(ids(rows.dealtByTokens(2, 26)))
        .containsExactly(List.of(0L, 1L, 2L), List.of(3L, 4L));
    assertThat(ids(rows.dealtByTokens(1, 1))).containsExactly(List.of(0L));
  }

  @Test
  void aLineThatIsNoRowIsNamed() throws Exception {
    Path file = BenchmarkRows.write(directory.resolve("rows"), 2);
    Files.writeString(file, Files.readString(file) + "{\"input_ids\":[5,6],\"labels\":[5,6]}\n");
    assertThatThrownBy(() -> TokenRows.read(file, MODEL))
        .hasMessageContaining("Cannot use line 3 of")
        .hasMessageContaining("it has no <sop>");
  }

  @Test
  void anEmptyFileIsRefused() throws Exception {
    Path file = Files.createFile(directory.resolve("empty"));
    assertThatThrownBy(() -> TokenRows.read(file, MODEL)).hasMessageContaining("it has no rows");
  }
}
