"""The stories the sources tell, as data: who reports what, which departments act, in what order, and how long each takes.

Minutes are those a district would take; the demo plays them `speed` times faster. Sources: burst pipe in the Qinglong estate
(seed 003), building waste (seed 000), blocked fire exit in a rented house (seeds 000 and 004), newborn (seed 004; with consent and
without the mother's identity number, as the requirements decide).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """One department's part: minutes until it accepts, minutes of work, parts it has to wait for."""

    department: str
    accept_minutes: float
    work_minutes: float
    instruction: str
    result: str
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """A case to play; the first part leads."""

    slug: str
    title: str
    category: str
    severity: str
    description: str
    reply: str
    parts: tuple[Part, ...] = field(default=())


STORIES = (
    Story(
        slug="burst-pipe",
        title="水管爆裂 Burst water main",
        category="D0402",
        severity="SEVERITY_S2",
        description="小区东门外自来水主管破裂,路面积水并开始下陷,三栋楼停水。",
        reply="主管已更换并恢复供水,路面已修复,停水期间已送水上门。",
        parts=(
            Part("UTIL_WATER", 8, 180, "关阀、开挖、更换主管", "更换 DN200 主管 6 米,恢复供水"),
            Part("PSB", 5, 200, "封闭路口,疏导交通", "封闭半幅路面,专人疏导至修复结束"),
            Part("PROP", 6, 90, "通知住户,安排送水", "通知 214 户,送水 96 桶"),
            Part("UMD", 15, 120, "管道修好后恢复路面", "回填夯实,恢复沥青路面 40 平方米", after=("UTIL_WATER",)),
            Part("HEALTH", 20, 45, "恢复供水后检测水质", "末梢水余氯与浊度合格", after=("UTIL_WATER",)),
        ),
    ),
    Story(
        slug="building-waste",
        title="建筑垃圾 Building waste",
        category="D0303",
        severity="SEVERITY_S3",
        description="装修队夜间在楼后空地倾倒建筑垃圾,扬尘大,居民意见强烈。",
        reply="垃圾已清运,倾倒人已处理,工地已整改,将每日巡查一周。",
        parts=(
            Part("UMD", 20, 240, "清运并查处倾倒", "清运 18 立方米,立案查处"),
            Part("PSB", 15, 100, "调取现场情况,找到倾倒人", "倾倒车辆与当事人已核实"),
            Part("ENV", 30, 120, "检查扬尘", "覆盖洒水,扬尘达标"),
            Part("HOUSING", 25, 150, "检查装修登记与工地", "补办登记,整改围挡"),
        ),
    ),
    Story(
        slug="blocked-exit",
        title="出租屋消防通道堵塞 Blocked fire exit in a rented house",
        category="B",
        severity="SEVERITY_S3",
        description="出租屋一楼疏散通道堆满电动自行车和杂物,夜间飞线充电。",
        reply="通道已清空,飞线已拆除,出租屋已登记,设集中充电点。",
        parts=(
            Part("FIRE", 10, 150, "现场检查,责令清除", "疏散通道已清空,复查合格"),
            Part("HOUSING", 20, 110, "核查出租登记与用途", "租赁登记已补办,隔断已拆除"),
            Part("PROP", 8, 60, "清理杂物,设充电点", "清出车辆 11 辆,增设充电位 12 个"),
            Part("UTIL_POWER", 25, 80, "清理后检查线路", "拆除飞线 4 处,线路检测合格", after=("PROP",)),
            Part("PSB", 15, 70, "教育房东与租户", "签订安全承诺书"),
        ),
    ),
    Story(
        slug="newborn",
        title="新生儿服务 Newborn",
        category="L",
        severity="SEVERITY_S4",
        description="医院经家长同意推送:辖区内有新生儿,请上门提供服务。",
        reply="已上门,出生登记、医保与预防接种均已办理。",
        parts=(
            Part("COMM", 30, 90, "上门核实并告知可办服务", "已上门,家长同意办理三项服务"),
            Part("HEALTH", 40, 60, "建立预防接种档案", "接种档案已建立", after=("COMM",)),
            Part("PSB", 45, 50, "协助出生登记", "出生登记已办理", after=("COMM",)),
            Part("MEDINS", 35, 55, "办理新生儿医保", "医保已参保", after=("COMM",)),
        ),
    ),
)


def part_of(slug_or_category: str, department: str) -> Part | None:
    """The part a department plays in a story, found by slug or category; None when it has none."""
    for story in STORIES:
        if slug_or_category in (story.slug, story.category):
            return next((part for part in story.parts if part.department == department), None)
    return None
