package hone;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** What the typemaps of hone.i do on Java's side. */
final class Convert {
  private Convert() {}

  static byte[] bytes(String text) {
    return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[][] bytes(String[] texts) {
    byte[][] all = new byte[texts.length][];
    for (int i = 0; i < texts.length; ++i) all[i] = bytes(Objects.requireNonNull(texts[i]));
    return all;
  }

  static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  static FloatBuffer direct(FloatBuffer buffer) {
    if (!buffer.isDirect() || buffer.order() != ByteOrder.nativeOrder() || buffer.isReadOnly()) {
      throw new IllegalArgumentException("a direct FloatBuffer in native order that may be written to is expected");
    }
    return buffer;
  }
}
