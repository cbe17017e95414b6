package org.glmtuner.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;

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

  /** Elements that are moved at a time: arrays are much faster to loop over than buffers. */
  private static final int BLOCK = 4096;

  /** Every half as a float, by its bits; filled when the first half is decoded. */
  private static final class Halves {
    static final float[] VALUES = new float[1 << 16];

    static {
      for (int bits = 0; bits < VALUES.length; bits++) {
        VALUES[bits] = halfToFloat(bits);
      }
    }
  }

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
    ByteBuffer stored = take(from, count);
    if (this == F32) {
      stored.asFloatBuffer().get(to, offset, count);
      return;
    }
    checkFloat();
    ShortBuffer shorts = stored.asShortBuffer();
    short[] block = new short[Math.min(BLOCK, count)];
    for (int done = 0; done < count; done += BLOCK) {
      int now = Math.min(BLOCK, count - done);
      shorts.get(block, 0, now);
      if (this == F16) {
        decodeHalves(block, to, offset + done, now);
      } else {
        for (int i = 0; i < now; i++) {
          to[offset + done + i] = Float.intBitsToFloat(block[i] << 16);
        }
      }
    }
  }

  private static void decodeHalves(short[] block, float[] to, int offset, int count) {
    float[] values = Halves.VALUES;
    for (int i = 0; i < count; i++) {
      to[offset + i] = values[block[i] & 0xffff];
    }
  }

  /** Writes {@code count} elements at the buffer's position, which moves behind them. */
  public void encode(float[] from, int offset, int count, ByteBuffer to) {
    ByteBuffer stored = take(to, count);
    if (this == F32) {
      stored.asFloatBuffer().put(from, offset, count);
      return;
    }
    checkFloat();
    ShortBuffer shorts = stored.asShortBuffer();
    short[] block = new short[Math.min(BLOCK, count)];
    for (int done = 0; done < count; done += BLOCK) {
      int now = Math.min(BLOCK, count - done);
      if (this == F16) {
        for (int i = 0; i < now; i++) {
          block[i] = floatToHalf(from[offset + done + i]);
        }
      } else {
        for (int i = 0; i < now; i++) {
          block[i] = floatToBfloat16(from[offset + done + i]);
        }
      }
      shorts.put(block, 0, now);
    }
  }

  /**
   * The index of the first NaN or infinity among the stored elements from the buffer's position to
   * its limit, which both stay; -1 where there is none, as always for integers.
   */
  int firstNonFinite(ByteBuffer stored) {
    ByteBuffer little = stored.slice().order(ByteOrder.LITTLE_ENDIAN);
    if (this == F32) {
      int[] block = new int[BLOCK];
      for (int done = 0; done < stored.remaining() / Integer.BYTES; done += BLOCK) {
        int now = Math.min(BLOCK, stored.remaining() / Integer.BYTES - done);
        little.asIntBuffer().get(done, block, 0, now);
        for (int i = 0; i < now; i++) {
          if ((block[i] & 0x7f800000) == 0x7f800000) {
            return done + i;
          }
        }
      }
    } else if (isFloat()) {
      int exponent = this == F16 ? 0x7c00 : 0x7f80;
      short[] block = new short[BLOCK];
      for (int done = 0; done < stored.remaining() / Short.BYTES; done += BLOCK) {
        int now = Math.min(BLOCK, stored.remaining() / Short.BYTES - done);
        little.asShortBuffer().get(done, block, 0, now);
        for (int i = 0; i < now; i++) {
          if ((block[i] & exponent) == exponent) {
            return done + i;
          }
        }
      }
    }
    return -1;
  }

  private ByteBuffer take(ByteBuffer buffer, int count) {
    int length = Math.multiplyExact(count, bytes);
    ByteBuffer slice = buffer.slice(buffer.position(), length).order(ByteOrder.LITTLE_ENDIAN);
    buffer.position(buffer.position() + length);
    return slice;
  }

  private void checkFloat() {
    if (!isFloat()) {
      throw new UnsupportedOperationException(this + " is not read or written as float");
    }
  }

  private static float halfToFloat(int bits) {
    int magnitude = bits & 0x7fff;
    float value =
        magnitude >= 0x7c00
            ? Float.intBitsToFloat(0x7f800000 | (magnitude << 13))
            // 2^112 takes the exponent from the bias of a half, 15, to that of a float, 127
            : Float.intBitsToFloat(magnitude << 13) * 0x1p112f;
    return bits == magnitude ? value : -value;
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
