package org.glmtuner.generation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ChatTextTest {
  @Test
  void blanksAtTheEndsGo() {
    assertThat(ChatText.of(" \n\t你好 吗\u3000\u00a0\u001f\n")).isEqualTo("你好 吗");
    assertThat(ChatText.of(" \n ")).isEmpty();
  }

  @Test
  void theTrainingDateIsFilledIn() {
    assertThat(ChatText.of("截至[[训练时间]],我")).isEqualTo("截至2023年，我");
  }

  @Test
  void marksBesideChineseCharactersBecomeFullWidth() {
    assertThat(ChatText.of("你好,世界!是:吗;对?")).isEqualTo("你好，世界！是：吗；对？");
    assertThat(ChatText.of("a,中 b:c 中;d e?中")).isEqualTo("a，中 b:c 中；d e？中");
    assertThat(ChatText.of("a, b! c: d; e?")).isEqualTo("a, b! c: d; e?");
    assertThat(ChatText.of("中.中(中)")).isEqualTo("中.中(中)"); // the others stay
  }

  @Test
  void onlyTheMarkNextToTheCharacterChanges() {
    assertThat(ChatText.of("中!!")).isEqualTo("中！!");
    assertThat(ChatText.of("??中")).isEqualTo("?？中");
    assertThat(ChatText.of("中 , 中")).isEqualTo("中 , 中");
    assertThat(ChatText.of("㐂,𠮷,")).isEqualTo("㐂,𠮷,"); // outside of U+4E00 to U+9FFF
  }
}
