package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TextFormatTest {

  @Test
  void tellsTheFormatByTheFirstByteThatIsNotBlank() {
    assertThat(detect("{\"a\":1}\n{")).isEqualTo(TextFormat.JSON_LINES);
    assertThat(detect(" \r\n\t[{\"a\":1}]")).isEqualTo(TextFormat.JSON_ARRAY);
    assertThat(detect("\ufeff {")).isEqualTo(TextFormat.JSON_LINES);
  }

  @Test
  void refusesOtherFiles() {
    assertThatThrownBy(() -> detect("content,summary\n"))
        .hasMessage(
            "Cannot read F: it is neither JSON Lines nor a JSON array: its first byte is 0x63"
                + " ({ or [ is needed)");
    assertThatThrownBy(() -> detect("词")).hasMessageContaining("its first byte is 0xe8");
    assertThatThrownBy(() -> detect(" \n")).hasMessage("Cannot read F: it is empty");
    assertThatThrownBy(() -> detect("")).hasMessage("Cannot read F: it is empty");
  }

  private static TextFormat detect(String head) {
    return TextFormat.detect(head.getBytes(StandardCharsets.UTF_8), "F");
  }
}
