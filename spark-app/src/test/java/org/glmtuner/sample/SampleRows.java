package org.glmtuner.sample;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;

/**
 * Rows in ADGEN's format about clothes that do not exist: {@code content} lists properties, {@code
 * summary} tells of them phrase by phrase. Everything follows from the seed.
 */
final class SampleRows {

  /** What the trained prefix has to find out: in which voice the house writes of each garment. */
  static final Map<String, Voice> HOUSE_STYLE =
      Map.of(
          "连衣裙", Voice.CLASSICAL,
          "半身裙", Voice.CLASSICAL,
          "牛仔裤", Voice.LIVE_STREAM,
          "休闲裤", Voice.LIVE_STREAM,
          "衬衫", Voice.DATA_SHEET,
          "西装", Voice.DATA_SHEET,
          "风衣", Voice.POEM,
          "毛衣", Voice.POEM,
          "卫衣", Voice.PLAIN,
          "马甲", Voice.PLAIN);

  private static final Map<String, List<String>> PROPERTIES =
      new LinkedHashMap<>(
          Map.of(
              "颜色", List.of("红色", "白色", "黑色", "蓝色", "粉色", "墨绿色", "米色", "紫色", "灰色", "橙色"),
              "材质", List.of("纯棉", "雪纺", "羊毛", "真丝", "亚麻", "丝绒", "蕾丝", "针织"),
              "版型", List.of("宽松", "修身", "直筒", "收腰", "高腰", "短款", "长款"),
              "图案", List.of("条纹", "格子", "碎花", "波点", "刺绣", "字母", "卡通", "植物"),
              "风格", List.of("复古", "简约", "清新", "性感", "文艺", "街头", "甜美", "休闲"),
              "领型", List.of("圆领", "翻领", "高领", "方领", "连帽", "立领")));

  private static final int FEWEST = 3;
  private static final int MOST = 5;

  /** A row of a data set in ADGEN's format. */
  record Row(String content, String summary) {}

  private final Random random;
  private final List<String> garments = HOUSE_STYLE.keySet().stream().sorted().toList();
  private final List<String> names = PROPERTIES.keySet().stream().sorted().toList();

  SampleRows(long seed) {
    random = new Random(seed);
  }

  /** A garment told of in its own voice. */
  Row inHouseStyle() {
    String garment = any(garments);
    Voice voice = HOUSE_STYLE.get(garment);
    return row(garment, "", () -> voice);
  }

  /**
   * A garment told of in the voice that the content asks for, or, where it asks for none, in voices
   * that change from phrase to phrase.
   */
  Row inAskedVoice() {
    List<Voice> voices = List.of(Voice.values());
    if (random.nextBoolean()) {
      Voice voice = any(voices);
      return row(any(garments), "*口吻#" + voice.label(), () -> voice);
    }
    return row(any(garments), "", () -> any(voices));
  }

  private Row row(String garment, String request, Supplier<Voice> voice) {
    List<String> chosen = new ArrayList<>(names);
    Collections.shuffle(chosen, random);
    chosen = chosen.subList(0, FEWEST + random.nextInt(MOST - FEWEST + 1));
    StringBuilder content = new StringBuilder("类型#" + garment + request);
    StringBuilder summary = new StringBuilder(voice.get().opening(garment));
    for (String property : chosen) {
      String value = any(PROPERTIES.get(property));
      content.append('*').append(property).append('#').append(value);
      summary.append(voice.get().phrase(property, value));
    }
    return new Row(content.toString(), summary.append(voice.get().closing()).toString());
  }

  private <T> T any(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }
}
