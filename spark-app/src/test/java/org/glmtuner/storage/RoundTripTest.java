package org.glmtuner.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RoundTripTest {
  @TempDir Path directory;

  @Test
  void everyPartTakesTimeAndNothingIsLeft() throws IOException {
    RoundTrip trip = RoundTrip.measure(Directory.ofConfigured("file:" + directory));
    assertThat(trip.bytes()).isPositive();
    assertThat(List.of(trip.write(), trip.read(), trip.rename(), trip.delete()))
        .allSatisfy(seconds -> assertThat(seconds).isPositive());
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void aDirectoryThatCannotBeWrittenIsSaid() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "");
    assertThatThrownBy(() -> RoundTrip.measure(Directory.ofConfigured("file:" + file)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file.toString());
  }
}
