package org.glmtuner.failure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class DidYouMeanTest {
  private static final List<String> KNOWN = List.of("content", "summary", "id");

  @Test
  void findsTheNearestName() {
    assertThat(DidYouMean.hint("contnet", KNOWN)).isEqualTo(" (did you mean content?)");
    assertThat(DidYouMean.hint("Summary", KNOWN)).isEqualTo(" (did you mean summary?)");
    assertThat(DidYouMean.hint("summery", List.of("summer", "summary")))
        .isEqualTo(" (did you mean summer?)");
  }

  @Test
  void keepsQuietWhenNoNameIsNear() {
    assertThat(DidYouMean.hint("prompt", KNOWN)).isEmpty();
    assertThat(DidYouMean.hint("xy", KNOWN)).isEmpty();
    assertThat(DidYouMean.hint("prompt", List.of())).isEmpty();
  }
}
