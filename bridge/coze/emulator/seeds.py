"""What the agent does when it was told nothing: the documentation's two examples.

https://www.coze.com/docs/developer_guides/chat_v3
"""

import json

from bridge.coze.emulator.asked import Asked
from bridge.coze.emulator.play import Answer, Play, Tool

FOREST = Answer(
    "这是一幅非常漂亮的森林图片,里面有小溪、石头和青苔覆盖的树木。",
    (
        *("这", "是", "一幅", "非常", "漂亮", "的", "森林", "图片", ",", "里面", "有", "小溪"),
        *("、", "石头", "和", "青苔", "覆盖", "的", "树木", "。"),
    ),
)
PICTURE = (
    "https://lf-bot-studio-plugin-resource.coze.cn/obj/bot-studio-platform-plugin-tos"
    "/artist/image/4ca71a5f55d54efc95ed9c06e019ff4b.png"
)
LOOK = "tupianlijie-imgUnderstand"
SEEN = (
    " 这幅图像描绘了一片宁静而神秘的森林景象。"
    "画面中心是一条蜿蜒流淌的小溪,溪水清澈见底,溪床上散布着几块大小不一的石头。"
    "溪流两岸覆盖着厚厚的青苔,与周围的树木形成鲜明对比。"
    "树木高大挺拔,树干粗壮,树皮呈深褐色,树枝上长满了翠绿的针叶,阳光透过树叶的缝隙洒在地面上,形成斑驳的光影。"
    "整个场景被一层淡淡的雾气笼罩,增添了一丝神秘和幽静的氛围。"
    "画面远处的树木逐渐变得模糊,与天空的灰白色融为一体,整个画面色彩以绿色和棕色为主,营造出一种深邃而古老的感觉。"
    "整体上,这幅图像传达了一种与自然和谐共处的宁静与平和。"
)


def seed_play(asked: Asked) -> Play:
    """The second example for a question with an image or a file, the first for any other."""
    files = [part for part in asked.parts if part.type != "text"]
    if not files:
        return Play()
    url = files[0].file_url or files[0].file_id
    arguments = {"text": "描述图片里有什么", "url": url}
    thought = f"需求为描述图片({url})里都有什么,需要调用{LOOK}工具理解图片"
    tool = Tool(LOOK, json.dumps(arguments, ensure_ascii=False), SEEN, thought)
    return Play(answers=(FOREST,), tools=(tool,), usage=(2197, 111))
