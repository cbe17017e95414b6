package org.glmtuner.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Element types, under the names that safetensors gives them. All are stored little-endian.
 *
 * <p>{@link #decode} and {@link #encode} know {@link #F32}, {@link #F16} and {@link #BF16};
 * rounding is to nearest, ties to even.
 */
public enum DType {
  F64(8),
  F32(4),
  F16(2),
  BF16(2),
  I64(8),
  I32(4),
  I16(2),
  I8(1),
  U8(1),
  BOOL(1);

  /** 2^112 moves the exponent of a half (bias 15), read as a float (bias 127), to its place. */
  private static final float HALF_SCALE = 0x1p112f;

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes per element. */
  public int bytes() {
    return bytes;
  }

  /** Whether {@link #decode} and {@link #encode} know this type. */
  public boolean isFloat() {
    return this == F32 || this == F16 || this == BF16;
  }

  /** Reads {@code count} elements at the buffer's position, which moves behind them. */
  public void decode(ByteBuffer from, float[] to, int offset, int count) {
    ByteBuffer slice = take(from, count);
    switch (this) {
      case F32 -> slice.asFloatBuffer().get(to, offset, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          to[offset + i] = halfToFloat(slice.getShort(2 * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          to[offset + i] = Float.intBitsToFloat(slice.getShort(2 * i) << 16);
        }
      }
      default -> throw notFloat();
    }
  }

  /** Writes {@code count} elements at the buffer's position, which moves behind them. */
  public void encode(float[] from, int offset, int count, ByteBuffer to) {
    ByteBuffer slice = take(to, count);
    switch (this) {
      case F32 -> slice.asFloatBuffer().put(from, offset, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          slice.putShort(2 * i, floatToHalf(from[offset + i]));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          slice.putShort(2 * i, floatToBfloat16(from[offset + i]));
        }
      }
      default -> throw notFloat();
    }
  }

  private ByteBuffer take(ByteBuffer buffer, int count) {
    int length = Math.multiplyExact(count, bytes);
    ByteBuffer slice = buffer.slice(buffer.position(), length).order(ByteOrder.LITTLE_ENDIAN);
    buffer.position(buffer.position() + length);
    return slice;
  }

  private UnsupportedOperationException notFloat() {
    return new UnsupportedOperationException(this + " is not read or written as float");
  }

  private static float halfToFloat(short half) {
    int magnitude = half & 0x7fff;
    float value =
        magnitude >= 0x7c00
            ? Float.intBitsToFloat(0x7f800000 | (magnitude << 13))
            : Float.intBitsToFloat(magnitude << 13) * HALF_SCALE;
    return Float.intBitsToFloat(Float.floatToRawIntBits(value) | ((half & 0x8000) << 16));
  }

  private static short floatToHalf(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    int magnitude = bits & 0x7fffffff;
    int half;
    if (magnitude > 0x7f800000) {
      half = 0x7e00;
    } else if (magnitude >= 0x477ff000) { // from 65520 on the nearest half is infinity
      half = 0x7c00;
    } else if (magnitude >= 0x38800000) { // 2^-14, the smallest normal half
      half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    } else {
      // Multiples of 2^-24: rint gives ties to even, and 1024 of them are the smallest normal.
      half = (int) Math.rint(Float.intBitsToFloat(magnitude) * 0x1p24f);
    }
    return (short) (sign | half);
  }

  private static short floatToBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if ((bits & 0x7fffffff) > 0x7f800000) {
      return (short) ((bits >>> 16) | 0x40); // a NaN stays one, whatever its lower bits
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }
}
