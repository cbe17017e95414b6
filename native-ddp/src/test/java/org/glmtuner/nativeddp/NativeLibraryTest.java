package org.glmtuner.nativeddp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class NativeLibraryTest {
  @Test
  void theLibraryIsAmongTheResources() {
    assertThat(getClass().getClassLoader().getResource(NativeLibrary.RESOURCE)).isNotNull();
  }

  @Test
  void aFileThatCannotBeLoadedIsNamed() {
    assertThatThrownBy(() -> NativeLibrary.load(Path.of("/no/such/library.so")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("Cannot load /no/such/library.so: ")
        .hasMessageEndingWith("(DJL's PyTorch engine must be loaded first)");
  }
}
