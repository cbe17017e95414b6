package org.glmtuner.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.glmtuner.config.DataConfig.Format;
import org.junit.jupiter.api.Test;

class FileFormatTest {

  @Test
  void tellsJsonByTheFirstByteThatIsNotBlank() {
    assertThat(detect("{\"a\":1}\n{")).isEqualTo(FileFormat.JSON_LINES);
    assertThat(detect(" \r\n\t[{\"a\":1}]")).isEqualTo(FileFormat.JSON_ARRAY);
    assertThat(detect("\ufeff {")).isEqualTo(FileFormat.JSON_LINES);
  }

  @Test
  void tellsParquetByItsMagicNumber() {
    assertThat(detect("PAR1...", "F.csv", Format.AUTO)).isEqualTo(FileFormat.PARQUET);
    assertThat(detect("PAR1...", "F", Format.PARQUET)).isEqualTo(FileFormat.PARQUET);
    assertThat(detect("PAR1...", "F", Format.TOKENS)).isEqualTo(FileFormat.PARQUET);
  }

  @Test
  void tellsCsvByNameOrConfiguration() {
    assertThat(detect("content,summary\n", "F.CSV", Format.AUTO)).isEqualTo(FileFormat.CSV);
    assertThat(detect("[content],summary\n", "F.csv", Format.AUTO)).isEqualTo(FileFormat.CSV);
    assertThat(detect("content,summary\n", "F", Format.CSV)).isEqualTo(FileFormat.CSV);
    assertThat(detect("{}\n", "F.csv", Format.JSON)).isEqualTo(FileFormat.JSON_LINES);
  }

  @Test
  void refusesOtherFiles() {
    assertThatThrownBy(() -> detect("content,summary\n"))
        .hasMessage(
            "Cannot read F: it is neither JSON Lines nor a JSON array: its first byte is 0x63"
                + " ({ or [ is needed; for CSV: data.format=csv)");
    assertThatThrownBy(() -> detect("词")).hasMessageContaining("its first byte is 0xe8");
    assertThatThrownBy(() -> detect(" \n")).hasMessage("Cannot read F: it is empty");
    assertThatThrownBy(() -> detect("")).hasMessage("Cannot read F: it is empty");
    byte[] utf16 = "\ufeffcontent".getBytes(StandardCharsets.UTF_16LE);
    assertThatThrownBy(() -> FileFormat.detect(utf16, "F", Format.CSV))
        .hasMessage("Cannot read F: it is UTF-16 (UTF-8 is needed)");
  }

  @Test
  void refusesAnotherFormatThanTheConfiguredOne() {
    assertThatThrownBy(() -> detect("{}", "F", Format.PARQUET))
        .hasMessage("Cannot read F: it is not Parquet (data.format=parquet)");
    assertThatThrownBy(() -> detect("PAR1", "F", Format.CSV))
        .hasMessage("Cannot read F: it is Parquet (data.format=csv)");
    assertThatThrownBy(() -> detect("PAR1", "F", Format.JSON))
        .hasMessage("Cannot read F: it is Parquet (data.format=json)");
  }

  private static FileFormat detect(String head) {
    return detect(head, "F", Format.AUTO);
  }

  private static FileFormat detect(String head, String location, Format configured) {
    return FileFormat.detect(head.getBytes(StandardCharsets.UTF_8), location, configured);
  }
}
