package hone;

import java.nio.charset.StandardCharsets;

/** A call of hone's that failed. The code is one of HoneConstants.HONE_E..., the row that of the data or -1. */
public final class HoneException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final int code;
  private final long row;

  HoneException(int code, byte[] message, long row) {
    super(new String(message, StandardCharsets.UTF_8));
    this.code = code;
    this.row = row;
  }

  public int code() {
    return code;
  }

  public long row() {
    return row;
  }
}
