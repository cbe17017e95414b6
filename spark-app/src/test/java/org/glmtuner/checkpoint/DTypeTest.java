package org.glmtuner.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class DTypeTest {

  @Test
  void decodesEveryHalfToItsExactValue() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      int exponent = (bits >> 10) & 31;
      int fraction = bits & 1023;
      double magnitude =
          switch (exponent) {
            case 0 -> fraction * 0x1p-24;
            case 31 -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
            default -> (1024 + fraction) * Math.scalb(1.0, exponent - 25);
          };
      float expected = (float) (bits >= 1 << 15 ? -magnitude : magnitude);
      assertThat(decode(DType.F16, (short) bits)).isEqualTo(Float.valueOf(expected));
    }
  }

  @Test
  void everyHalfAndBfloat16SurvivesARoundTrip() {
    for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
      for (int bits = 0; bits < 1 << 16; bits++) {
        float value = decode(dtype, (short) bits);
        if (!Float.isNaN(value)) {
          assertThat(encode(dtype, value)).as("%s %04x", dtype, bits).isEqualTo((short) bits);
        } else {
          assertThat(decode(dtype, encode(dtype, value))).isNaN();
        }
      }
    }
  }

  @Property(tries = 20_000)
  void encodesToTheNearestHalf(@ForAll int bits) {
    nearest(DType.F16, Float.intBitsToFloat(bits), 65504, 65536);
  }

  @Property(tries = 20_000)
  void encodesToTheNearestHalfInItsRange(@ForAll short half, @ForAll int lower) {
    float value = decode(DType.F16, half);
    nearest(
        DType.F16,
        Float.intBitsToFloat(Float.floatToRawIntBits(value) ^ (lower & 0x3fff)),
        65504,
        65536);
  }

  @Property(tries = 20_000)
  void encodesToTheNearestBfloat16(@ForAll int bits) {
    nearest(DType.BF16, Float.intBitsToFloat(bits), 0x1.fep127, 0x1p128);
  }

  /** Compares with the neighbours of the result, exactly; past the largest value comes infinity. */
  private static void nearest(DType dtype, float value, double largest, double beyond) {
    short encoded = encode(dtype, value);
    float result = decode(dtype, encoded);
    if (Float.isNaN(value)) {
      assertThat(result).isNaN();
      return;
    }
    assertThat(Math.copySign(1, result)).isEqualTo(Math.copySign(1, value));
    double magnitude = Math.abs((double) value);
    if (Float.isInfinite(result)) {
      assertThat(magnitude).isGreaterThanOrEqualTo((largest + beyond) / 2);
      return;
    }
    int bits = encoded & 0x7fff;
    BigDecimal distance = distance(magnitude, Math.abs((double) result));
    for (int neighbour : new int[] {bits - 1, bits + 1}) {
      if (neighbour < 0) {
        continue;
      }
      float other = decode(dtype, (short) neighbour);
      double otherMagnitude = Float.isInfinite(other) ? beyond : other;
      int order = distance.compareTo(distance(magnitude, otherMagnitude));
      assertThat(order).isNotPositive();
      if (order == 0) {
        assertThat(bits & 1).as("ties go to even").isZero();
      }
    }
  }

  private static BigDecimal distance(double a, double b) {
    return new BigDecimal(a).subtract(new BigDecimal(b)).abs();
  }

  @Test
  void movesTheBufferBehindWhatItReadAndWrote() {
    ByteBuffer buffer = ByteBuffer.allocate(12);
    buffer.position(2);
    DType.F32.encode(new float[] {9, 1.5f, -2, 9}, 1, 2, buffer);
    assertThat(buffer.position()).isEqualTo(10);
    float[] values = new float[3];
    buffer.position(2);
    DType.F32.decode(buffer, values, 1, 2);
    assertThat(values).containsExactly(0, 1.5f, -2);
    assertThat(buffer.position()).isEqualTo(10);
  }

  @Property
  void findsTheFirstElementThatIsNotFinite(
      @ForAll @IntRange(max = 9000) int index, @ForAll short bits, @ForAll boolean negative) {
    for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16}) {
      ByteBuffer stored = ByteBuffer.allocate(9001 * dtype.bytes());
      ByteBuffer element =
          stored.slice(index * dtype.bytes(), dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
      element.putShort(dtype.bytes() - Short.BYTES, bits);
      float[] value = new float[1];
      dtype.decode(element.duplicate(), value, 0, 1);
      assertThat(dtype.firstNonFinite(stored)).isEqualTo(Float.isFinite(value[0]) ? -1 : index);
      float bad = negative ? Float.NEGATIVE_INFINITY : Float.NaN;
      dtype.encode(new float[] {bad}, 0, 1, element.duplicate());
      assertThat(dtype.firstNonFinite(stored)).isEqualTo(index);
      assertThat(stored.position()).isZero();
    }
    assertThat(DType.I32.firstNonFinite(ByteBuffer.wrap(new byte[] {-1, -1, -1, -1})))
        .isEqualTo(-1);
  }

  @Test
  void refusesIntegers() {
    assertThatThrownBy(() -> DType.I32.decode(ByteBuffer.allocate(4), new float[1], 0, 1))
        .hasMessage("I32 is not read or written as float");
  }

  private static float decode(DType dtype, short bits) {
    ByteBuffer buffer = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN).putShort(0, bits);
    float[] value = new float[1];
    dtype.decode(buffer, value, 0, 1);
    return value[0];
  }

  private static short encode(DType dtype, float value) {
    ByteBuffer buffer = ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN);
    dtype.encode(new float[] {value}, 0, 1, buffer);
    return buffer.getShort(0);
  }
}
