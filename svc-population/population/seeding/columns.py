"""Everything else about made-up people, as columns of a block. Vectorised. Pure."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from population.seeding.households import Flags, Households, Ints
from population.seeding.places import Block

TODAY = dt.date(2026, 6, 30)
"""Ages are those of this day, whenever the people are made: or they would not be the same every time."""
SEED = 20_120_824
HOUSES = 0.97
"""Share of households whose home is known."""

_SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾邹"
    "石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚"
)
_MEN = "伟强磊军洋勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林建国志文海峰永亮东晨"
_WOMEN = "芳娜秀英敏静丽艳娟霞燕玲桂梅兰红玉萍颖琳雪慧莹婷倩晶洁丹蕾薇佳怡欣悦琪瑶凤云珍春"
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECKS = np.array(list("10X98765432"))


class Columns:
    """A block of people. Days are numpy days; `grid` counts within the block."""

    def __init__(self, block: Block) -> None:
        self.chance = np.random.default_rng([SEED, block.number])
        self.block = block
        self.homes = Households(block.people, self.chance)
        self._set_birth()
        self._set_home()
        self._set_stay()
        self._set_kind()
        self.names = self._names()

    @property
    def count(self) -> int:
        """How many people."""
        return self.block.people

    def _set_birth(self) -> None:
        today = np.datetime64(TODAY)
        days = self.homes.age * 365.2425 + self.chance.integers(0, 365, self.count)
        self.birth = today - np.floor(days).astype("timedelta64[D]")
        self.id_numbers = id_numbers(self.block.number_area, self.birth, self.homes.male)

    def _set_home(self) -> None:
        """Households live in houses of buildings; every building stands in a grid and has a lift or has not."""
        chance, households = self.chance, len(self.homes.size)
        grids = len(self.block.grids())
        building = np.arange(households) // 40
        grid = building * grids // (building[-1] + 1)
        tall = chance.random(building[-1] + 1) < 0.32
        storeys = np.where(tall, chance.integers(8, 34, len(tall)), chance.integers(3, 8, len(tall)))
        corners = np.array([self.block.corner(at) for at in range(grids)])
        spot = corners[(np.arange(building[-1] + 1) * grids // (building[-1] + 1))] + chance.random((len(tall), 2)) * 0.008
        floor = (chance.random(households) * storeys[building]).astype(np.int64) + 1
        home = self.homes.household
        self.house_grid, self.house_floor, self.house_lift = grid, floor, tall[building]
        self.house_spot = np.round(spot[building], 6)
        self.grid, self.known_home = grid[home], (chance.random(households) < HOUSES)[home]
        self.alone = (self.homes.size == 1)[home]

    def _set_stay(self) -> None:
        """Since when people live there, and where in the city they lived before; nobody before being born."""
        chance, households = self.chance, len(self.homes.size)
        years = np.minimum(chance.exponential(9.0, households), 60.0)
        moved_in = np.datetime64(TODAY) - (years * 365.25).astype("timedelta64[D]")
        self.since = np.maximum(moved_in[self.homes.household], self.birth)
        moved = (chance.random(households) < 0.22)[self.homes.household]
        before = self.since - chance.integers(200, 4_000, self.count).astype("timedelta64[D]")
        self.before = np.maximum(before, self.birth)
        self.moved: Flags = moved & (self.before < self.since) & self.known_home
        self.former_grid: Ints = (self.grid + chance.integers(1, 27, self.count)) % len(self.block.grids())

    def _set_kind(self) -> None:
        chance, households = self.chance, len(self.homes.size)
        kinds = np.array(["01", "03", "04", "02", "05", "09"])
        of_home = chance.choice(kinds, size=households, p=[0.715, 0.15, 0.08, 0.035, 0.003, 0.017])
        self.resident_type = of_home[self.homes.household]
        self.tenure = chance.choice(np.array(["owner", "tenant"]), size=households, p=[0.77, 0.23])[self.homes.household]
        self.has_phone = chance.random(self.count) < np.where(self.homes.age >= 14, 0.88, 0.05)
        self.has_number = chance.random(self.count) < 0.985
        self.affiliated = (chance.random(self.count) < 0.07) & (self.homes.age >= 25)
        self.phones = 100_00_000_000 + (self.block.number * 25_000 + np.arange(self.count)) % 100_000_000

    def _names(self) -> list[str]:
        """Children bear the head's name; most given names have two characters."""
        chance, count = self.chance, self.count
        surnames = np.array(list(_SURNAMES))
        weights = 1.0 / (np.arange(len(surnames)) + 3.0)
        own = chance.choice(surnames, size=count, p=weights / weights.sum())
        heads = np.cumsum(self.homes.size) - self.homes.size
        family = own[heads][self.homes.household]
        surname = np.where(self.homes.role == 2, family, own)
        men, women = np.array(list(_MEN)), np.array(list(_WOMEN))
        first = np.where(self.homes.male, chance.choice(men, count), chance.choice(women, count))
        second = np.where(self.homes.male, chance.choice(men[:20], count), chance.choice(women[:20], count))
        second = np.where(chance.random(count) < 0.8, second, "")
        names: list[str] = np.char.add(np.char.add(surname, first), second).tolist()
        return names


def id_numbers(area: str, birth: NDArray[np.datetime64], male: Flags) -> NDArray[np.str_]:
    """Returns GB 11643 numbers of an area: people of one birthday are numbered through, men odd, women even.

    Raises ValueError when more than 499 of one sex share a birthday.
    """
    order = np.lexsort((male, birth))
    day, sex = birth[order], male[order]
    fresh = np.r_[True, (day[1:] != day[:-1]) | (sex[1:] != sex[:-1])]
    rank = np.arange(len(order)) - np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    if rank.max(initial=0) > 498:
        raise ValueError("too many people share a birthday for the numbers of one area")
    serial = np.empty(len(order), dtype=np.int64)
    serial[order] = rank * 2 + np.where(sex, 1, 2)
    text = np.char.add(
        np.char.replace(birth.astype("datetime64[D]").astype(str), "-", ""), np.char.zfill(serial.astype(str), 3)
    )
    bodies = np.char.add(area, text)
    digits = np.frombuffer("".join(bodies).encode("ascii"), dtype=np.uint8).reshape(-1, 17) - ord("0")
    return np.char.add(bodies, _CHECKS[(digits.astype(np.int64) @ _WEIGHTS) % 11])
