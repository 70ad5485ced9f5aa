"""Words that are written apart or together for the same sounds: "health care" and "healthcare".

Written apart is the form that is compared: a compound can then be looked up by itself, whatever its neighbors.
No part of a compound is a number word, since those are read with the words beside them ("any one", "some one").
"""

# With or without an s at the end.
_APART = """
after noon, air craft, air line, air plane, air port, any body, any more, any place, any thing, any time, any way,
any where, apple sauce, arm chair, arm pit, back end, back ground, back log, back pack, back stage, back up, back
yard, band width, bar code, base ball, base line, basket ball, bath robe, bath room, bath tub, bed room, bed side,
bed time, bee hive, bench mark, bill board, birth day, birth place, black berries, black berry, black bird, black
board, black mail, blue berries, blue berry, blue print, book case, book keeper, book mark, book shelf, book store,
bottle neck, brain storm, bread crumb, break down, break fast, break through, brief case, broad band, broad cast,
brush stroke, butter fly, butter milk, buy out, by pass, by product, candle light, candle stick, car park, car pool,
care giver, care taker, cart wheel, cash back, cell phone, chalk board, chat bot, check box, check in, check list,
check mate, check out, check point, check up, cheese cake, child birth, child care, chop stick, class mate, class
room, clean up, clip board, clock wise, close up, coast line, cob web, cook book, copy writer, cork screw, country
side, court house, court room, court yard, cover up, cow boy, cross road, cross walk, cross word, cup cake, cut off,
cyber security, dance floor, data base, data point, data set, day break, day care, day dream, day light, day time,
dead line, dead lock, dish washer, door bell, door knob, door mat, door step, door way, double check, down load, down
side, down stairs, down time, down town, draw back, drive way, drop down, drop out, drum stick, dust bin, ear drum,
ear phone, ear ring, egg plant, every body, every day, every thing, eye ball, eye brow, eye catching, eye lash, eye
lid, eye sight, eye witness, fail safe, fall out, farm house, feed back, field work, finger nail, finger print, fire
arm, fire fighter, fire place, fire wood, fire work, flag pole, flash back, flash light, flow chart, flower pot,
follow up, foot ball, foot note, foot path, foot print, foot step, foot wear, for ever, frame work, free lance, front
end, full time, fund raiser, game play, gift card, ginger bread, gold fish, good bye, grand parent, grape fruit,
grass land, grave yard, green house, grid lock, ground water, guide book, guide line, hair brush, hair cut, hair
dresser, hair style, half time, half way, hall way, hand bag, hand book, hand cuff, hand held, hand made, hand out,
hand rail, hand shake, hand writing, hard copy, hard cover, hash tag, head ache, head count, head light, head phone,
head set, health care, heart beat, heart break, heart felt, heart warming, hide out, high land, high light, high way,
hill side, home brew, home grown, home land, home made, home owner, home page, home school, home town, home work,
horse back, hot spot, hour glass, house hold, house keeping, how ever, ice cream, in box, in put, in side, in to,
jelly fish, jet lag, jump start, key board, key chain, key hole, key stroke, key word, kick off, kick start, knock
out, know how, lake side, lamp post, land lord, land mark, land scape, lap top, law suit, lawn mower, lay off, lay
out, left over, life boat, life cycle, life guard, life saver, life span, life style, life time, light weight, line
up, lip stick, live stock, live stream, living room, lock down, log book, log in, log out, long term, look out, lunch
time, mail box, main land, main stream, make over, make up, market place, may be, meal time, mean time, mean while,
mid night, mid term, mind set, mine field, moon light, motor bike, motor cycle, motor way, mouth wash, multi media,
multi task, nation wide, news feed, news letter, news paper, night club, night fall, night time, no where, non
fiction, non profit, north east, north west, note book, note pad, nut shell, oat meal, off line, off set, off site,
on board, on boarding, on going, on line, on set, on site, on to, open source, out break, out come, out door, out
fit, out let, out line, out look, out put, out side, over all, over due, over load, over night, over pass, over ride,
over time, over view, over work, pan cake, paper work, part time, pass word, patch work, pay back, pay check, pay
day, pay load, pay out, pea nut, pick up, pin ball, pine apple, pipe line, place holder, play ground, play list, play
off, play time, pod cast, pop corn, pop up, post card, press up, print out, push up, rail road, rail way, rain coat,
rain drop, rain fall, rain forest, rain water, real time, river bank, river side, road block, road map, road side,
role play, roof top, room mate, run away, run time, safe keeping, sail boat, sand box, sand castle, sand paper,
school teacher, school yard, score board, screen shot, sea food, sea horse, sea shell, sea shore, sea side, sea weed,
set back, set up, shop lifting, short cut, short term, show down, show off, show room, shut down, side effect, side
line, side walk, sign up, sit up, skate board, sky line, sky scraper, slow down, smart phone, smart watch, snap shot,
snow ball, snow board, snow fall, snow flake, snow man, snow storm, soft ware, some body, some how, some thing, some
time, some where, south east, south west, space ship, spread sheet, spring time, stair way, stand by, stand out,
stand point, star fish, start up, state wide, steam boat, step brother, step child, step daughter, step father, step
mother, step sister, step son, stop watch, store front, store room, story line, story teller, story telling, straw
berries, straw berry, suit case, summer time, sun beam, sun burn, sun flower, sun glasses, sun light, sun rise, sun
screen, sun set, sun shine, super hero, super market, super star, surf board, sweat shirt, sweet heart, table cloth,
table spoon, table top, tail gate, tail light, take away, take off, take out, take over, tax payer, tea cup, tea pot,
tea spoon, team work, text book, throw away, time frame, time keeper, time line, time out, time stamp, time zone, tip
toe, tool bar, tool box, tool kit, tooth ache, tooth brush, tooth paste, tooth pick, touch screen, trade mark, trade
off, turn around, turn out, turn over, turn table, under dog, under ground, under line, under water, under way, up
load, up side, up stairs, up time, up town, user name, video game, voice mail, volley ball, wall paper, ware house,
wash cloth, wash room, waste land, watch dog, water color, water fall, water melon, water proof, web cam, web master,
web page, web site, week day, week end, week long, week night, well being, what ever, wheel barrow, wheel chair, when
ever, white board, wild fire, wild flower, wild life, wind mill, wind screen, wind shield, wood land, wood work, wood
working, work around, work bench, work book, work day, work flow, work force, work load, work out, work place, work
sheet, work shop, work space, work station, work week, world view, world wide, wrist band, wrist watch, zip code
"""

COMPOUNDS: dict[str, str] = {}
for _parts in (" ".join(entry.split()) for entry in _APART.split(",")):
    for _ending in ("", "s"):
        COMPOUNDS[_parts.replace(" ", "") + _ending] = _parts + _ending
