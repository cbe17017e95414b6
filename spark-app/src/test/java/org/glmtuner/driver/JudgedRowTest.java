package org.glmtuner.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.glmtuner.data.RowParser;
import org.glmtuner.driver.RowFiles.Row;
import org.junit.jupiter.api.Test;

class JudgedRowTest {
  private static final RowParser<String> TEXTS = RowParser.texts("a");

  private static Row row(long number, String json) {
    return new Row("F", number, json.getBytes(StandardCharsets.UTF_8), null);
  }

  @Test
  void rowsAreReadWhenTheyAreAskedFor() {
    Iterator<Row> endless =
        LongStream.iterate(1, n -> n + 1).mapToObj(n -> row(n, "{\"a\":\"" + n + "\"}")).iterator();
    Iterator<JudgedRow<String>> judged = JudgedRow.each(endless, TEXTS).iterator();
    assertThat(judged.next().value()).isEqualTo("1");
    assertThat(judged.next().value()).isEqualTo("2");
    assertThat(endless.next().row()).as("read ahead").isLessThanOrEqualTo(4);
  }

  @Test
  void eachRowThatIsNotBlankIsUsedOrSaysWhyNot() {
    Iterator<Row> rows =
        Stream.of(
                row(1, " \t\r"),
                row(2, "{\"a\":\"一\"}"),
                row(3, "{"),
                row(4, "{\"a\":\"\"}"),
                new Row("F", 5, new byte[0], "it has 1 fields, the header has 2"))
            .iterator();
    List<JudgedRow<String>> judged = JudgedRow.each(rows, TEXTS).toList();
    assertThat(judged).extracting(JudgedRow::value).containsExactly("一", null, null, null);
    assertThat(judged).extracting(JudgedRow::isMalformed).containsExactly(false, true, false, true);
    assertThat(judged).extracting(JudgedRow::isEmpty).containsExactly(false, false, true, false);
    assertThat(judged.get(2).unused()).hasToString("F, row 4: its column a is empty");
    assertThat(judged.get(3).unused()).hasToString("F, row 5: it has 1 fields, the header has 2");
  }

  @Test
  void whatRowsNeedIsClosedWhenTheirTaskEndsThoughSomeWereNotRead() {
    try (JavaSparkContext spark =
        new JavaSparkContext(
            new SparkConf()
                .setMaster("local[1]")
                .setAppName("rows")
                .set("spark.ui.enabled", "false"))) {
      assertThat(
              spark
                  .parallelize(List.of(1, 2, 3), 1)
                  .mapPartitions(
                      part -> {
                        Open open = TaskEnd.close(new Open());
                        return new Checked(open, part);
                      })
                  .take(2))
          .containsExactly(1, 2);
      assertThat(spark.parallelize(List.of(0), 1).map(i -> Open.count).collect())
          .containsExactly(0);
    }
  }

  /** Counts those that are not closed; one JVM runs the tasks of this test. */
  private static final class Open implements AutoCloseable {
    private static int count;

    Open() {
      count++;
      assertThat(TaskContext.get()).isNotNull();
    }

    @Override
    public void close() {
      count--;
    }
  }

  private record Checked(Open open, Iterator<Integer> rows) implements Iterator<Integer> {
    @Override
    public boolean hasNext() {
      return rows.hasNext();
    }

    @Override
    public Integer next() {
      if (Open.count != 1) {
        throw new NoSuchElementException("closed too early");
      }
      return rows.next();
    }
  }
}
