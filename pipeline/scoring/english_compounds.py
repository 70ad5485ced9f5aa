"""Words that are written apart or together for the same sounds: "health care" and "healthcare".

Written apart is the form that is compared: a compound can then be looked up by itself, whatever its neighbors.
No part of a compound is a number word, since those are read with the words beside them ("any one", "some one").
"""

# With or without an s at the end.
_APART = """
after noon, air line, air port, any more, any place, any time, any way, arm chair, back end, back log, back pack, back
up, back yard, band width, base ball, base line, basket ball, bath room, bath tub, bed room, bed time, bench mark,
birth day, birth place, book case, book mark, book shelf, book store, brain storm, break down, break through, broad
band, brush stroke, buy out, by pass, by product, car pool, care giver, care taker, cash back, cell phone, chalk
board, chat bot, check box, check in, check list, check mate, check out, check point, check up, cheese cake, child
birth, child care, class mate, class room, clean up, close up, cook book, copy writer, cover up, cross road, cross
walk, cross word, cup cake, cut off, cyber security, data base, data point, data set, day care, day dream, day light,
day time, dead line, dish washer, door bell, door way, down load, down side, down time, down town, drive way, drop
down, drop out, ear phone, every day, eye ball, eye sight, eye witness, fail safe, fall out, farm house, feed back,
field work, fire fighter, fire work, flash back, flash light, flow chart, follow up, foot ball, foot note, foot path,
for ever, frame work, free lance, front end, full time, fund raiser, game play, good bye, grand parent, grass land,
grave yard, green house, grid lock, ground water, guide book, guide line, hair style, half time, half way, hand held,
hand made, hand out, hard cover, hash tag, head ache, head count, head light, head phone, head set, health care, heart
beat, heart break, hide out, high land, high light, high way, hill side, home brew, home grown, home made, home owner,
home page, home school, home town, home work, hot spot, house keeping, ice cream, in box, in put, in to, jet lag, jump
start, key chain, key stroke, key word, kick off, kick start, knock out, know how, lake side, land mark, lap top, lawn
mower, lay off, lay out, left over, life cycle, life saver, life span, life style, life time, light weight, line up,
live stock, live stream, living room, lock down, log book, log in, log out, long term, look out, lunch time, mail box,
make over, make up, market place, meal time, mean time, mid night, mid term, mind set, mine field, motor bike, multi
media, multi task, nation wide, news feed, news letter, news paper, night club, night fall, night time, non fiction,
non profit, north east, north west, note book, note pad, off line, off set, on board, on boarding, on going, on line,
on set, on site, on to, open source, out door, out put, over all, over due, over load, over night, over pass, over
ride, over time, over view, over work, paper work, part time, pass word, pay back, pay check, pay day, pay load, pay
out, pick up, pipe line, place holder, play ground, play list, play off, play time, pod cast, pop corn, pop up, post
card, press up, print out, push up, rain coat, rain drop, rain fall, rain forest, rain water, real time, road block,
road map, road side, role play, roof top, run away, run time, safe keeping, sand box, score board, screen shot, sea
food, sea horse, sea side, set back, set up, shop lifting, short cut, short term, show down, show off, show room, shut
down, side effect, side line, sign up, sit up, slow down, smart phone, smart watch, snap shot, snow board, snow fall,
snow flake, snow storm, south east, south west, space ship, spread sheet, spring time, stair way, stand by, stand out,
stand point, start up, state wide, stop watch, store front, store room, story line, story teller, story telling,
summer time, sun screen, super hero, super market, super star, surf board, table spoon, table top, tail gate, take
away, take off, take out, take over, tea cup, tea pot, tea spoon, team work, text book, throw away, time frame, time
keeper, time line, time out, time stamp, time zone, tool bar, tool box, tool kit, tooth brush, touch screen, trade
mark, trade off, turn around, turn out, turn over, under ground, under line, under water, under way, up load, up side,
up time, up town, user name, video game, voice mail, volley ball, wall paper, wash cloth, wash room, waste land, watch
dog, water color, water fall, water proof, web cam, web master, web page, web site, week day, week end, week night,
well being, white board, wild fire, wild flower, wild life, wind mill, wind screen, work around, work bench, work
book, work day, work flow, work force, work load, work out, work place, work sheet, work shop, work space, work
station, work week, world view, world wide, zip code
"""

COMPOUNDS: dict[str, str] = {}
for _parts in (" ".join(entry.split()) for entry in _APART.split(",")):
    for _ending in ("", "s"):
        COMPOUNDS[_parts.replace(" ", "") + _ending] = _parts + _ending
