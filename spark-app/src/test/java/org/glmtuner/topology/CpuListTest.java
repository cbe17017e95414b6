package org.glmtuner.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class CpuListTest {
  @Test
  void rangesAndNumbersAreRead() {
    assertThat(CpuList.parse("0-3,8")).containsExactly(0, 1, 2, 3, 8);
    assertThat(CpuList.parse(" 9,2-3,2\n")).containsExactly(2, 3, 9);
    assertThat(CpuList.parse("")).isEmpty();
  }

  @Test
  void whatIsWrittenReadsBack() {
    assertThat(CpuList.format(List.of(0, 1, 8))).isEqualTo("0,1,8");
    assertThat(CpuList.format(new int[] {4})).isEqualTo("4");
    assertThat(CpuList.parse(CpuList.format(List.of(0, 1, 8)))).containsExactly(0, 1, 8);
  }

  @Test
  void anythingElseIsRefused() {
    assertThatThrownBy(() -> CpuList.parse("all"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Invalid list of CPUs: all (numbers and ranges such as 0-3,8 are expected)");
  }
}
