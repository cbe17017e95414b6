package org.glmtuner.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.UniqueElements;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PredictionFileTest {
  private static List<Prediction> read(byte[] bytes) throws IOException {
    List<Prediction> predictions = new ArrayList<>();
    PredictionFile.read(new ByteArrayInputStream(bytes), "p.txt", predictions::add);
    return predictions;
  }

  private static List<Prediction> read(String text) throws IOException {
    return read(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void aLineIsWhatPythonWrites() {
    assertThat(PredictionFile.line(new Prediction("裙\n\"é\"", "<UNK>\\\t\u0001\u2028\u007f😀")))
        .isEqualTo(
            "{\"labels\": \"裙\\n\\\"é\\\"\", \"predict\": \"<UNK>\\\\\\t\\u0001\u2028\u007f😀\"}");
  }

  @Property(tries = 200)
  void whatIsWrittenIsReadAgain(@ForAll @UniqueElements List<String> texts) throws IOException {
    List<Prediction> predictions =
        texts.stream()
            .map(text -> new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8))
            .map(text -> new Prediction(text, text + "x"))
            .toList();
    StringBuilder file = new StringBuilder();
    predictions.forEach(prediction -> file.append(PredictionFile.line(prediction)).append('\n'));
    assertThat(read(file.toString())).isEqualTo(predictions);
  }

  @Test
  void anyOrderAndOtherKeysAreRead() throws IOException {
    assertThat(
            read(
                """
                \ufeff{"predict":"b","id":[1,{}],"labels":"a"}

                {"labels":"","predict":"\\u88d9"}\r
                """))
        .containsExactly(new Prediction("a", "b"), new Prediction("", "裙"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"labels\": \"a\"}|it has no predict",
        "{\"predict\": \"a\"}|it has no labels",
        "{\"labels\": null, \"predict\": \"a\"}|its labels is no text",
        "{\"labels\": \"a\", \"predict\": 7}|its predict is no text",
        "{\"labels\": \"a\", \"predict\": \"b\"|it is not one JSON object",
        "{\"labels\": \"a\", \"predict\": \"b\"} {}|it is not one JSON object",
        "{labels: \"a\", predict: \"b\"}|it is not one JSON object",
        "[\"a\", \"b\"]|it is not one JSON object",
        "a sentence|it is not one JSON object"
      })
  void aMalformedLineIsNamed(String line, String reason) {
    assertThatThrownBy(() -> read("{\"labels\": \"a\", \"predict\": \"b\"}\n\n" + line + "\n"))
        .isInstanceOf(TunerException.class)
        .hasMessage("Cannot read p.txt, line 3: " + reason)
        .extracting("exitCode")
        .isEqualTo(ExitCode.DAMAGED);
  }

  @Test
  void bytesThatAreNotUtf8AreNamed() {
    byte[] bytes =
        "\n{\"labels\": \"é\", \"predict\": \"b\"}".getBytes(StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> read(bytes)).hasMessage("Cannot read p.txt, line 2: it is not UTF-8");
  }
}
