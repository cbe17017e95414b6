package org.glmtuner.nativeddp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.glmtuner.nativeddp.AdamWStep.AdamWSettings;
import org.junit.jupiter.api.Test;

/** The records that carry numbers to native code. */
class ValuesTest {
  @Test
  void dimensionsOfTheRealModelAreValid() {
    assertThat(new ModelDimensions(28, 4096, 32, 16384, 130528, 1e-5).headSize()).isEqualTo(128);
  }

  @Test
  void dimensionsThatDoNotFitTogetherAreRefused() {
    refused(() -> dimensions(0, 64, 4), "Invalid number of layers: 0 (must be positive)");
    refused(() -> dimensions(3, 66, 4), "Invalid hidden size: 66 (must be divisible by 4 heads)");
    refused(
        () -> dimensions(3, 24, 4),
        "Invalid head size: 6 (must be divisible by 4: two rotary halves of pairs)");
    refused(
        () -> new ModelDimensions(3, 64, 4, 160, 512, Double.NaN),
        "Invalid layer norm epsilon: NaN (must be positive)");
  }

  @Test
  void dropoutRatesLieBelowOne() {
    assertThat(PrefixDropout.NONE.rate()).isZero();
    refused(
        () -> new PrefixDropout(1, 0),
        "Invalid dropout rate: 1.0 (must be at least 0 and below 1)");
    refused(
        () -> new PrefixDropout(-0.1, 0),
        "Invalid dropout rate: -0.1 (must be at least 0 and below 1)");
    refused(
        () -> new PrefixDropout(Double.NaN, 0),
        "Invalid dropout rate: NaN (must be at least 0 and below 1)");
  }

  @Test
  void optimiserSettingsHaveTheirRanges() {
    refused(
        () -> new AdamWStep(AdamWSettings.OFFICIAL, 0, 0.02, 1),
        "Invalid optimiser step: 0 (counted from 1)");
    refused(
        () -> new AdamWSettings(1, 0.999, 1e-8, 0),
        "Invalid beta1: 1.0 (must be at least 0 and below 1)");
    refused(
        () -> new AdamWSettings(0.9, -1, 1e-8, 0),
        "Invalid beta2: -1.0 (must be at least 0 and below 1)");
    refused(() -> new AdamWSettings(0.9, 0.999, 0, 0), "Invalid epsilon: 0.0 (must be positive)");
    refused(
        () -> new AdamWSettings(0.9, 0.999, 1e-8, -1),
        "Invalid weight decay: -1.0 (must not be negative)");
  }

  private static ModelDimensions dimensions(int layers, int hidden, int heads) {
    return new ModelDimensions(layers, hidden, heads, 160, 512, 1e-5);
  }

  private static void refused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }
}
