package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.glmtuner.config.DataConfig.Columns;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HistoryColumnTest {
  private static final Columns COLUMNS = new Columns("q", "r", "h", "");

  private static List<Turn> read(String history) throws RowException {
    return HistoryColumn.read(
        JsonRow.of(JsonRow.parse("{\"h\":" + history.replace('\'', '"') + "}")), COLUMNS);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[['a','b'],['c','d']]",
        "[{'q':'a','r':'b'},{'r':'d','q':'c'}]",
        "'[[\\'a\\', \\'b\\'], [\\'c\\', \\'d\\']]'",
        "'[{\\'q\\':\\'a\\',\\'r\\':\\'b\\'},[\\'c\\',\\'d\\']]'",
      })
  void readsPairsAndObjectsAndTheirText(String history) throws RowException {
    assertThat(read(history)).containsExactly(new Turn("a", "b"), new Turn("c", "d"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "null", "''", "' '", "'[]'", "'null'"})
  void readsNoTurns(String history) throws RowException {
    assertThat(read(history)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "7 | its column h holds the number 7 (a list of turns is needed)",
        "{} | its column h holds an object (a list of turns is needed)",
        "'a, b' | its column h holds a text that is not JSON",
        "'7' | its column h holds the number 7 (a list of turns is needed)",
        "['a','b'] | h[0] is a text (a query and its response are needed)",
        "[['a','b'],['a']] | h[1] is an array of 1 (a query and its response are needed)",
        "[['a',1]] | h[0][1] holds the number 1 (a text is needed)",
        "[{'q':'a','answer':'b'}] | h[0]: it has no column r but q, answer (did you mean q?)",
        "[{'q':'a','r':[]}] | h[0]: its column r holds an array (a text is needed)",
      })
  void rejects(String history, String reason) {
    assertThatThrownBy(() -> read(history)).isInstanceOf(RowException.class).hasMessage(reason);
  }

  @Test
  void rejectsARowWithoutTheColumn() {
    assertThatThrownBy(
            () -> HistoryColumn.read(JsonRow.of(JsonRow.parse("{\"histori\":[]}")), COLUMNS))
        .hasMessageStartingWith("it has no column h but histori");
  }
}
